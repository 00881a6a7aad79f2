/* For the tests of scripts/mito. Each case runs it by each of the shells, which is the shell of the case
 * too: in $MITO_SH, so that `timeout $MITO_SH run ...` is a process. */
#ifndef MITOFS_TESTS_MITO_H
#define MITOFS_TESTS_MITO_H

/* mito ARGS, and its words for those who need a program. */
#define MITO                                                                               \
	"case $(readlink /proc/$$/exe) in *bash) s=bash;; *busybox*) s='busybox sh';; *) " \
	"s=dash;; "                                                                        \
	"esac; MITO_SH=\"$s $MITOFS_MITO\"; MITO=$M; export MITO; mito() { $MITO_SH \"$@\"; }\n"

/* A shell at a terminal, with `mito` in its PATH: keys WORD types, see TEXT waits until it shows. */
#define SCREEN                                                                                    \
	MITO "printf '#!/bin/sh\nexec %s \"$@\"\n' \"$MITO_SH\" > $T/mito; chmod 755 $T/mito; "   \
	     "tm() { tmux -S $T/tmux -f /dev/null \"$@\"; }; keys() { tm send-keys \"$@\"; }; "   \
	     "see() { until tm capture-pane -p | grep -q -- \"$1\"; do :; done; echo \"$1\"; }; " \
	     "PATH=$T:$PATH tm new-session -d -x 90 -y 20 'PS1=: exec bash --norc'\n"

#endif
