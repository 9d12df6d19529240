#!/bin/sh
# Checks the model sole.pml with spin: every configuration must hold, and every
# seeded fault must be found. Needs spin and gcc. Prints one line a run; exits 1
# if any of them is not as it should be. Two runs at a time.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd) || exit 1
for tool in spin gcc; do
	command -v "$tool" >/dev/null || { echo "check.sh: $tool is missing" >&2; exit 1; }
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
bad=0
opt=-O0 # compiles in a second; -O2 takes ten, and pays for big runs only

# run NAME KIND FLAG...: the checker's words go to $tmp/NAME/out.
# KIND: safe (assertions and deadlock), stops (the same, but a process may be
# left blocked behind one stopped or held for ever), live (the LTL property
# under weak fairness; assertions too), starve (live without assertions).
run() {
	dir=$tmp/$1
	kind=$2
	shift 2
	mkdir "$dir" && cd "$dir" && cp "$here/sole.pml" . || return 1
	case $kind in
	safe) c=-DSAFETY a='' ;;
	stops) c=-DSAFETY a=-E ;;
	live) c=-DNFAIR=3 a='-a -f' ;;
	starve) c=-DNFAIR=3 a='-a -f -A' ;;
	esac
	spin -a "$@" sole.pml >out 2>&1 &&
		gcc "$opt" -w "$c" -DNOREDUCE -DMEMLIM=1900 -o pan pan.c >>out 2>&1 || return 1
	# shellcheck disable=SC2086 # $a is a list of options
	./pan -n -m100000 -w22 $a >out 2>&1
}

figures() {
	sed -n 's/^ *\([0-9][0-9]*\) states, stored.*/\1 states/p; s/^pan: elapsed time \(.*\) seconds/\1 s/p' "$tmp/$1/out" | tr '\n' ' '
}

broken() {
	echo "FAIL $1: $2"
	sed 's/^/    /' "$tmp/$1/out" | tail -n 40
	bad=1
}

# holds NAME KIND FLAG...
holds() {
	if ! run "$@"; then
		broken "$1" "could not be checked"
	elif ! grep -q 'errors: 0$' "$tmp/$1/out" || grep -q 'Search not completed\|max search depth\|out of memory' "$tmp/$1/out"; then
		broken "$1" "does not hold"
	else
		echo "ok   $1: $(figures "$1")"
	fi
}

# finds NAME TEXT KIND FLAG...: the checker must stop at an error that says TEXT.
finds() {
	name=$1
	text=$2
	shift 2
	if ! run "$name" "$@"; then
		broken "$name" "could not be checked"
	elif ! grep '^pan:1:' "$tmp/$name/out" | grep -qF "$text"; then
		broken "$name" "the fault was not found"
	else
		echo "ok   $name: found"
	fi
}

safety() {
	holds order safe -DNX=3 -DNN=1
	holds order-killed safe -DNX=2 -DNN=1 -DKILLS=2
	holds stopped stops -DNX=3 -DKILLS=1 -DSTOPS=1
	holds try-first stops -DNX=2 -DNN=1 -DTRY -DSTOPS=1
	holds shared stops -DNX=1 -DNS=1 -DNT=1 -DHMODE=SH -DSTOPS=1
	holds shared-killed safe -DNX=2 -DNS=1 -DHMODE=SH -DKILLS=1
	holds replace stops -DNX=1 -DNR=2 -DHANG
	holds replace-killed stops -DNR=2 -DHANG -DKILLS=1 -DSTOPS=1
	holds replace-stopped stops -DNX=1 -DNN=1 -DNR=1 -DHANG -DSTOPS=1
	finds no-recheck 'owe[' safe -DNX=2 -DFAULT_NO_RECHECK
	finds no-recheck-start 'owe[' safe -DNX=1 -DNN=1 -DFAULT_NO_RECHECK
	finds no-front 'owe[' stops -DNX=1 -DNR=1 -DHANG -DFAULT_NO_FRONT
	finds start-ignores-front 'owe[' stops -DNN=1 -DNR=1 -DHANG -DFAULT_START_IGNORES_FRONT
	finds no-inherit 'cmd[i]' safe -DNX=1 -DKILLS=1 -DFAULT_NO_INHERIT
	exit "$bad"
}

liveness() {
	holds live live -DLIVE -DNX=3
	holds live-killed live -DLIVE -DNX=2 -DKILLS=2
	holds live-stopped live -DLIVE -DNX=2 -DKILLS=1 -DSTOPS=1
	opt=-O2
	holds live-shared live -DLIVE -DNX=2 -DNS=1 -DSTOPS=1 -DNOHOLDER
	opt=-O0
	holds live-replace live -DLIVE -DNR=2 -DHANG
	holds stream-waiting live -DSTREAM -DNX=1 -DNS=2 -DNOHOLDER
	holds stream-starts live -DSTREAM -DNX=1 -DNT=2 -DNOHOLDER
	finds ticket-kept-by-stopped 'acceptance cycle' starve -DLIVE -DNX=2 -DSTOPS=1 -DFAULT_TICKET_KEPT_BY_STOPPED
	finds wait-for-stopped 'acceptance cycle' starve -DLIVE -DNX=1 -DNS=1 -DSTOPS=1 -DFAULT_WAIT_FOR_STOPPED
	finds wait-for-stopped-excl 'acceptance cycle' starve -DLIVE -DLEFT_EXCL -DNX=2 -DNS=1 -DSTOPS=1 -DNOHOLDER -DFAULT_WAIT_FOR_STOPPED
	finds wait-on-ticket 'acceptance cycle' starve -DLIVE -DLEFT_EXCL -DNX=2 -DNS=1 -DSTOPS=1 -DNOHOLDER -DFAULT_WAIT_ON_TICKET
	finds shared-barge 'acceptance cycle' starve -DSTREAM -DNX=1 -DNS=2 -DNOHOLDER -DFAULT_SHARED_BARGE
	finds no-backoff 'acceptance cycle' starve -DLIVE -DNX=2 -DFAULT_NO_AWAIT -DFAULT_NO_BACKOFF
	holds backoff live -DLIVE -DNX=2 -DFAULT_NO_AWAIT
	finds stopped-with-lock 'acceptance cycle' starve -DLIVE -DNX=2 -DSTOPS=1 -DSTRICT
	exit "$bad"
}

safety >"$tmp/safety" &
first=$!
liveness >"$tmp/liveness" &
second=$!
wait "$first" || bad=1
cat "$tmp/safety"
wait "$second" || bad=1
cat "$tmp/liveness"
exit "$bad"
