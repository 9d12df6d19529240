#!/bin/sh
# Runs the arm64 program under an emulator, with the early start and without. The
# emulator knows no CLONE_PIDFD, so a command is started by the ordinary code there:
# all before that, --exec and skips are tried. What comes after it is tried in a program
# that asks for vfork(2) instead, which the emulator does know.
set -eu

if ! command -v qemu-aarch64-static >/dev/null 2>&1; then
	echo 'arm64: qemu-user-static is missing, not run'
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 700 "$tmp/names"
export SOLE_DIR="$tmp/names"

last=0
for entry in '-E _sole_early' ''; do
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -ldflags "$entry" -o "$tmp/sole" ./cmd/sole
	sole="qemu-aarch64-static $tmp/sole"
	for flags in '' -q --exec --exec; do
		code=0
		# shellcheck disable=SC2086,SC2016 # words; the inner shell's variable
		run=$($sole run $flags n -- /bin/sh -c 'echo $SOLE_RUN; exit 4') || code=$?
		if [ "$code" -ne 4 ] || ! [ "$run" -gt "$last" ]; then
			echo "arm64: run $flags, linked with '$entry': exit $code, run $run after $last"
			exit 1
		fi
		last=$run
	done
	code=0
	# shellcheck disable=SC2086 # words
	said=$($sole run n -- $sole run n -- /bin/echo ran 2>&1) || code=$?
	last=$((last + 1))
	case $code,$said in
	75,'sole: n is already running: pid '*'; skipped') ;;
	*)
		echo "arm64: a skip, linked with '$entry': exit $code, $said"
		exit 1
		;;
	esac
done

asm=internal/early/spawn_linux_arm64.s
sed 's/0x1111/0x4111/' "$asm" >"$tmp/spawn.s"
if cmp -s "$asm" "$tmp/spawn.s"; then
	echo "arm64: the flags of clone(2) are not in $asm"
	exit 1
fi
echo "{\"Replace\": {\"$PWD/$asm\": \"$tmp/spawn.s\"}}" >"$tmp/overlay"
GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -overlay "$tmp/overlay" -ldflags '-E _sole_early' -o "$tmp/sole" ./cmd/sole
# shellcheck disable=SC2016 # the inner shell's variables
for kind in '[ "$SOLE_NAME" = n ] && exit 4' 'kill -9 $$' 'sleep 1.1; exit 4'; do
	code=0
	qemu-aarch64-static -strace "$tmp/sole" run n -- /bin/sh -c "$kind" 2>"$tmp/trace" || code=$?
	case $code,$kind in
	4,*exit* | 137,kill*) ;;
	*)
		echo "arm64: $kind: exit $code"
		exit 1
		;;
	esac
	# Two processes write the trace: of a call only the words are in one piece.
	if ! grep -q SIG_SETMASK "$tmp/trace" || ! grep -q rt_sigtimedwait "$tmp/trace" || grep -q hpage_pmd_size "$tmp/trace"; then
		echo "arm64: $kind: the early start did not come to its end"
		exit 1
	fi
done
echo 'arm64: fine'
