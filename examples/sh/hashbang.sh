#!/usr/bin/env -S sole script sh
# shellcheck shell=sh
# Runs once at a time, by whatever path it is started: its first line sees to it.
set -eu

echo "up $$"
cat >/dev/null # the work: here until standard input ends
