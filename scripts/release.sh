#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: release.sh FOLDER "PLATFORM..." "PROGRAM..."
# Writes a release to a folder outside version control, which it empties first: for each program and platform an archive and its
# bill of materials, then an archive of the sources, the release notes, and checksums of it all. A platform is os/arch.
#
# The same sources and the same version of Go give the same bytes, wherever and whenever they are built. The times in the archives are
# SOURCE_DATE_EPOCH if it is set, else the time of the commit, else that of a file of the source archive, which is the same.
set -eu

cd "$(dirname "$0")/.."
out=$1 platforms=$2 programs=$3
version=$(scripts/version.sh)
unset GOFLAGS GOEXPERIMENT GOOS GOARCH # nothing of the environment goes into the binaries
export CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 LC_ALL=C

# clone: is this a clone, rather than a source archive, which may lie inside some other repository?
clone() { [ -e .git ] && git rev-parse HEAD >/dev/null 2>&1; }

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(clone && git log -1 --format=%ct ||
		stat -c %Y internal/version/version.go 2>/dev/null || stat -f %m internal/version/version.go)
fi

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
go build -trimpath -o "$work/pack" ./cmd/pack

# The files that belong to the project: in a clone those that git does not ignore, in a source archive all but what was built.
sources() {
	if clone; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f ! -path './dist/*' ! -path './.git/*' | sed 's|^\./||'
	fi
}

name=otelcol-guardrail-$version
echo "$name-source.tar.gz"
sources | "$work/pack" -list -prefix "$name" -time "$SOURCE_DATE_EPOCH" -o "$out/$name-source.tar.gz"

# bill PROGRAM FILE writes what the program is made of, with a name for the module that go.mod replaces by this folder.
bill() {
	GOFLAGS=-trimpath go tool -modfile="$PWD/tools/go.mod" cyclonedx-gomod bin -json -noserial -notimestamp -std \
		-version "v$version" -output "$work/bill" "$1" 2>"$work/log" || { cat "$work/log" >&2; return 1; }
	sed "s|\.\./\.\./\{0,1\}@(devel)|example.com/otelcol-guardrail@v$version|; s|\"\.\./\.\./\{0,1\}\"|\"example.com/otelcol-guardrail\"|
		s|\"(devel)\"|\"v$version\"|" "$work/bill" >"$2"
	! grep -nE '\(devel\)|\.\./' "$2" >&2
}

for program in $programs; do
	for platform in $platforms; do
		os=${platform%/*} arch=${platform#*/} exe='' form=.tar.gz
		if [ "$os" = windows ]; then exe=.exe form=.zip; fi
		name=$program-$version-$os-$arch
		echo "$name$form"
		stage=$work/$name
		mkdir "$stage"
		cp -R README.md LICENSE CHANGELOG.md SECURITY.md docs "$stage"
		case $program in otelcol-*) cp -R config "$stage" ;; esac
		(cd "cmd/$program" && GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$stage/$program$exe" .)
		if [ "$platform" = "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ]; then
			[ "$("$stage/$program" --version)" = "$program version $version" ] ||
				{ echo "$program does not print $version as its version; run 'make generate'" >&2; exit 1; }
		fi
		bill "$stage/$program$exe" "$out/$name.cdx.json"
		"$work/pack" -in "$stage" -prefix "$name" -time "$SOURCE_DATE_EPOCH" -o "$out/$name$form"
		rm -r "$stage"
	done
done

scripts/release-notes.sh "$version" >"$out/NOTES.md"
cd "$out"
files=$(ls)
# shellcheck disable=SC2086 # names without spaces
if command -v sha256sum >/dev/null; then sha256sum $files; else shasum -a 256 $files; fi >"$work/sums"
mv "$work/sums" SHA256SUMS
