#!/bin/sh
# Runs once at a time: the shell holds this very file. Needs no other file, and excludes
# `flock -n` on it too.
set -eu
exec 9<"$0"
sole lock --fd 9 || exit

echo "up $$"
cat >/dev/null # the work: here until standard input ends
