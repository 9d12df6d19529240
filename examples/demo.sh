#!/bin/sh
# Shows the main job: a run, a second start that is skipped, and who holds what.
# usage: demo.sh PATH-OF-SOLE
set -eu

sole=$1
SOLE_DIR=$(mktemp -d)
export SOLE_DIR
trap 'rm -rf "$SOLE_DIR"' EXIT

echo '$ sole run backup -- sleep 3 &'
"$sole" run backup -- sleep 3 &
until "$sole" status --quiet backup; do :; done

echo '$ sole run backup -- sleep 3'
code=0
"$sole" run backup -- sleep 3 || code=$?
echo "(exit code $code)"

echo '$ sole ls'
"$sole" ls
echo '$ sole status backup'
"$sole" status backup
wait
echo '$ sole run backup -- echo my turn'
"$sole" run backup -- echo my turn
echo '$ sole history backup'
"$sole" history backup
