#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: release-check.sh "PROGRAM..."
# Builds a release for this machine twice, from the tree and from the source archive of that release, unpacked elsewhere by somebody with
# another umask and in another time zone, and fails when the two differ in a single byte.
set -eu

cd "$(dirname "$0")/.."
platform=$(go env GOHOSTOS)/$(go env GOHOSTARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

scripts/release.sh "$work/first" "$platform" "$1"
name=otelcol-guardrail-$(scripts/version.sh)
(
	umask 077
	mkdir "$work/elsewhere" && cd "$work/elsewhere"
	tar -xzf "$work/first/$name-source.tar.gz"
	cd "$name"
	unset SOURCE_DATE_EPOCH
	TZ=Pacific/Kiritimati scripts/release.sh "$work/second" "$platform" "$1"
)
(cd "$work/second" && diff "$work/first/SHA256SUMS" SHA256SUMS) || { echo "the two releases differ" >&2; exit 1; }
for file in "$work"/first/*; do
	cmp "$file" "$work/second/$(basename "$file")"
done
echo "built twice, in different places: the same $(wc -l <"$work/first/SHA256SUMS" | tr -d ' ') files, byte for byte"
