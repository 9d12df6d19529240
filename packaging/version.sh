#!/bin/sh
# Prints the version of the packages: version.sh DESCRIBED EPOCH. It begins with a digit
# and has no hyphen, and a later commit has a later one.
set -eu
case $1 in
v[0-9]*-*-g*) # commits behind a tag
	tag=${1%-*-g*}
	version=${tag#v}+$(echo "${1#"$tag"-}" | tr - .)
	;;
v[0-9]*) version=${1#v} ;;
*) version="0~git$(TZ=UTC date -d "@$2" +%Y%m%d%H%M%S).$1" ;; # no tag yet
esac
echo "$version" | tr - '~'
