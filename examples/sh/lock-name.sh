#!/bin/sh
# Runs once at a time: the shell holds a name, so that `sole status example` shows it and
# `sole stop example` ends it.
set -eu
exec 9<>"$(sole path --make example)"
sole lock --fd 9 example || exit

echo "up $$"
cat >/dev/null 9>&- # the work, which does not inherit the lock: here until standard input ends
