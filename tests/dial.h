/* What the mount tests of places share: a function of their scripts. */
#ifndef MITOFS_TESTS_DIAL_H
#define MITOFS_TESTS_DIAL_H

/* dial C WORDS: connect the context C, new if it is not there, by WORDS, and say how that went: "up", or
 * the errno and the word. C is $c afterwards. */
#define DIAL                                                                           \
	"dial() { c=$1; shift; mkdir -p $c; r=$(try write $c/ctl \"connect $*\\n\"); " \
	"case $r in E*) echo $r $(sed -n 's/^failure //p' $c/status);; "               \
	"*) sed -n 's/^link //p' $c/status;; esac; }\n"

#endif
