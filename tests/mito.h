/* What scripts begin with that use mito, and those that do so at a terminal. Each case runs it by each of
 * the shells, which is the shell of the case too. */
#ifndef MITOFS_TESTS_MITO_H
#define MITOFS_TESTS_MITO_H

/* mito ARGS, and its words for those who need a program: mito in PATH, and $MITO_SH. Whatever the
 * shell of the case is, runs it. */
#define MITO                                                                               \
	"case $(readlink /proc/$$/exe) in *bash) s=bash;; *busybox*) s='busybox sh';; *) " \
	"s=dash;; "                                                                        \
	"esac; MITO_SH=\"$s $MITOFS_MITO\"; MITO=$M; export MITO; mito() { $MITO_SH \"$@\"; }\n"

/* mito as a program in PATH. */
#define MITO_PROGRAM                                                                            \
	MITO "printf '#!/bin/sh\nexec %s \"$@\"\n' \"$MITO_SH\" > $T/mito; chmod 755 $T/mito; " \
	     "PATH=$T:$PATH\n"

/* A shell at a terminal: keys WORD types, see TEXT waits until it shows. */
#define SCREEN                                                                               \
	MITO_PROGRAM                                                                         \
	"tm() { tmux -S $T/tmux -f /dev/null \"$@\"; }; keys() { tm send-keys \"$@\"; }; "   \
	"see() { until tm capture-pane -p | grep -q -- \"$1\"; do :; done; echo \"$1\"; }; " \
	"tm new-session -d -x 90 -y 20 'PS1=: exec bash --norc'\n"

#endif
