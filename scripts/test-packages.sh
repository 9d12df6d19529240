#!/bin/sh
# Makes sure that the Debian packages that the tests need are there: installs them
# as root, else names those that are missing.
set -eu

missing=
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
PATH=$PATH:/usr/sbin:/sbin
need gcc gcc # the race detector is C
need strace strace
need flock util-linux
need setlock daemontools
need chpst runit
need s6-setlock s6
need lckdo moreutils
need with-lock-ex chiark-utils-bin
need runlock cronutils
need python3 python3
python() { # python MODULE PACKAGE
	/usr/bin/python3 -c "import $1" 2>/dev/null || missing="$missing $2"
}
python yaml python3-yaml # recipes of docs
python filelock python3-filelock
python fasteners python3-fasteners
python portalocker python3-portalocker
need jq jq
need curl curl
need run-parts debianutils
need cron cron
need lckdo moreutils # guards that crontab translates
need chpst runit
need with-lock-ex chiark-utils-bin
need su login
need useradd passwd
need shellcheck shellcheck
need mandoc mandoc
need groff groff # the other formatter of manual pages
need man man-db
need zsh zsh # completion
need fish fish
[ -e /usr/share/bash-completion/bash_completion ] || missing="$missing bash-completion"
need lintian lintian # packages
need rpm rpm
need rpm2cpio rpm2cpio
need cpio cpio
need rpmlint rpmlint
need ps procps
need start-stop-daemon dpkg
need monit monit
need perl perl-base
need socat socat
need sem parallel # a peer in bench
need spin spin
need mkfs.ext4 e2fsprogs # filesystems for doctor
need mkfs.xfs xfsprogs
need mkfs.btrfs btrfs-progs
need bindfs bindfs
need fusermount3 fuse3
need systemd-tmpfiles systemd # what doctor's reading of tmpfiles.d is compared with
need systemd-analyze systemd # units
need setpriv util-linux
need chromium chromium # sole report in a browser
need qemu-aarch64-static qemu-user-static


# Installing prometheus would start a server. Of its package only promtool is wanted.
only_promtool() {
	command -v promtool >/dev/null 2>&1 && return
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		missing="$missing prometheus"
		return
	fi
	echo "installing: promtool"
	tmp=$(mktemp -d)
	chmod 755 "$tmp"
	apt-get update -qq
	(cd "$tmp" && apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null)
	dpkg-deb --fsys-tarfile "$tmp"/prometheus_*.deb | tar -xO ./usr/bin/promtool >"$tmp/promtool"
	install -m 755 "$tmp/promtool" /usr/local/bin/promtool
	rm -r "$tmp"
}
only_promtool

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing:$missing"
	apt-get update -qq
	# shellcheck disable=SC2086 # one word a package
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	exit 0
fi
echo "the tests need these packages: apt-get install$missing" >&2
[ "${CI:-}" != true ] || exit 1
