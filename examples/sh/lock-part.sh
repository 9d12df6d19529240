#!/bin/sh
# Only a part runs once at a time; a second one waits for it.
set -eu

(
	sole lock --fd 9 --wait || exit
	echo "up $$"
	cat >/dev/null # the work: here until standard input ends
) 9<"$0"
echo "the rest"
