#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: mutants.sh FOLDER [PATCH...]
# Applies one patch at a time that breaks the code (by default those in FOLDER/mutants), and fails when the tests of
# FOLDER do not notice. The tree does not change: the compiler gets the broken files as an overlay.
# MUTANT_STREAMS sets the number of streams for each test of detection.
set -eu

cd "$(dirname "$0")/.."
root=$PWD
package=./${1%/}
shift
case $package in # the quickest tests come first
./internal/detect)
	slow='Flood|Evict|MemoryIsGivenBack|IsAsDocumented'
	first=-test.skip=$slow rest=-test.run=$slow
	streams="-streams=${MUTANT_STREAMS:-60} -rapid.nofailfile" ;;
*)
	first=-test.run=Crash rest=-test.skip=Crash
	streams= ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

[ $# -gt 0 ] || set -- "$package"/mutants/*.patch
[ -f "$1" ] || { echo "no mutants in $package/mutants" >&2; exit 1; }

# Arguments: further flags of go test. Writes $work/tests, or the errors to $work/out.
build() { go test -ldflags="-s -w" -c -o "$work/tests" "$@" "$package" >"$work/out" 2>&1; }

# Runs $work/tests. Their output is in $work/out.
try() { tests "$first" && tests "$rest"; }

tests() {
	(cd "$package" && "$work/tests" -test.failfast -test.timeout=3m "$@" $streams) >"$work/out" 2>&1
}

build || { cat "$work/out"; echo "the tests do not compile" >&2; exit 1; }
try || { cat "$work/out"; echo "the tests fail on the unbroken code" >&2; exit 1; }

killed=0
survived=0
for patch; do
	name=$(basename "$patch" .patch)
	patch=$(cd "$(dirname "$patch")" && pwd)/$(basename "$patch")
	tree=$work/$name
	# Only the files that the patch names are copied and broken.
	files=$(sed -n 's,^+++ b/,,p' "$patch")
	[ -n "$files" ] || { echo "$name: no patch" >&2; exit 1; }
	for file in $files; do
		mkdir -p "$tree/$(dirname "$file")"
		cp "$file" "$tree/$file"
	done
	# git refuses a patch whose context has changed.
	(cd "$tree" && GIT_CEILING_DIRECTORIES=$work git apply "$patch") || { echo "$name: no longer applies" >&2; exit 1; }
	{
		echo '{"Replace": {'
		comma=
		for file in $files; do
			echo "$comma\"$root/$file\": \"$tree/$file\""
			comma=,
		done
		echo '}}'
	} >"$work/overlay.json"
	build -overlay="$work/overlay.json" || { cat "$work/out"; echo "$name: does not compile" >&2; exit 1; }
	if try; then
		survived=$((survived + 1))
		echo "SURVIVED $name"
	else
		# The innermost failed test; there is none where the process itself crashed.
		by=$(sed -n 's/^ *--- FAIL: \([^ ]*\).*/\1/p' "$work/out" | tail -n 1)
		[ -n "$by" ] || by=$(grep -m 1 -E '^(panic|fatal error): ' "$work/out") ||
			{ cat "$work/out"; echo "$name: neither passed nor failed" >&2; exit 1; }
		killed=$((killed + 1))
		echo "killed   $name by $by"
	fi
done
echo "$killed killed, $survived survived"
[ "$survived" -eq 0 ]
