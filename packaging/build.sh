#!/bin/sh
# Builds the Debian and RPM packages into dist/ (make package). With the same sources,
# VERSION and SOURCE_DATE_EPOCH the bytes are the same, wherever and whenever that is.
#
#   VERSION            as `git describe` says it
#   SOURCE_DATE_EPOCH  when it was made: by default the time of the last commit
#   ARCHES, KINDS      what to build: amd64 arm64, deb rpm
#   DIST               where to
set -eu
umask 022
cd "$(dirname "$0")/.."

VERSION=${VERSION:-$(git describe --tags --always --dirty)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
PACKAGE_VERSION=$(sh packaging/version.sh "$VERSION" "$SOURCE_DATE_EPOCH")
DIST=$(mkdir -p "${DIST:-dist}" && cd "${DIST:-dist}" && pwd)
export SOURCE_DATE_EPOCH PACKAGE_VERSION
TZ=UTC LC_ALL=C
export TZ LC_ALL

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
(cd packaging && CGO_ENABLED=0 go build -o "$tools/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm)

stage=$DIST/stage
rm -rf "$stage"

# What is the same for all architectures.
mkdir -p "$stage/man" "$stage/completion" "$stage/docs"
cp docs/man/*.1 "$stage/man"
gzip -9n "$stage"/man/*.1
for shell in bash zsh fish; do
	go run -buildvcs=false ./cmd/sole completion "$shell" >"$stage/completion/$shell"
done
gzip -9n <CHANGELOG.md >"$stage/changelog.gz"
cp docs/*.md "$stage/docs"
cp packaging/nfpm.yaml "$stage/nfpm-deb.yaml"
cp README.md CHANGELOG.md LICENSE packaging/copyright packaging/lintian-overrides packaging/postrm.sh "$stage"
# An RPM has the first line of the description elsewhere, and its own blank lines.
sed -e '/^  run only one instance/d' -e 's/^  \.$//' packaging/nfpm.yaml >"$stage/nfpm-rpm.yaml"
cp -R packaging/systemd "$stage/systemd"
# Of documentation, as RPM marks it, nfpm wants each file named.
for doc in "man/*:/usr/share/man/man1" "docs/*:/usr/share/doc/sole/docs" "systemd/*:/usr/share/doc/sole/examples"; do
	for file in "$stage"/${doc%%:*}; do
		file=${file#"$stage"/}
		echo "  - {src: $file, dst: ${doc#*:}/${file##*/}, type: doc, file_info: {mode: 0644}}"
	done
done >>"$stage/nfpm-rpm.yaml"
cat >"$stage/changelog.yaml" <<END
- semver: $PACKAGE_VERSION-1
  date: $(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
  packager: $(sed -n 's/^maintainer: *//p' packaging/nfpm.yaml)
  deb:
    urgency: medium
    distributions: [unstable]
  changes:
    - note: What changed is in CHANGELOG.md, installed beside this file.
END

for ARCH in ${ARCHES:-amd64 arm64}; do
	export ARCH
	# As everywhere else, but without what git says of the checkout: the sources
	# may be those of an archive.
	GOOS=linux GOARCH=$ARCH make -s build VERSION="$VERSION" BIN="$stage/sole" BUILDFLAGS=-buildvcs=false
	find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	for kind in ${KINDS:-deb rpm}; do
		(cd "$stage" && "$tools/nfpm" package --config "nfpm-$kind.yaml" --packager "$kind" --target "$DIST")
	done
done
rm -rf "$stage"
