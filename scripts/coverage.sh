#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: coverage.sh check|update MODULE...
# Measures how much of each package of the modules its own tests execute, in percent of statements, and compares that with
# scripts/coverage.txt, or writes scripts/coverage.txt. Generated packages, commands without tests and what serves only tests are left out.
set -eu

cd "$(dirname "$0")/.."
mode=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for module; do
	(cd "$module" && go test -count=1 -timeout=20m -cover ./...) >"$work/out" || { cat "$work/out"; exit 1; }
	# A package without statements has no percentage; one without tests has no "ok", or 0.0%.
	sed -n 's|^ok[[:space:]]*example.com/otelcol-guardrail\([^[:space:]]*\).*coverage: \([0-9.]*\)% of statements.*|\1 \2|p' "$work/out" |
		grep -vE '/internal/(testing|metadata|metadatatest)|storagetest' | sed 's|^/||' >>"$work/measured"
done
LC_ALL=C sort "$work/measured" >"$work/sorted"

# Half a percent less than measured: what goroutines and random streams execute differs a little from run to run.
if [ "$mode" = update ]; then
	awk '{ printf "%s %d\n", $1, $2 - 0.5 }' "$work/sorted" >scripts/coverage.txt
	exit
fi
awk '
	NR == FNR { least[$1] = $2; next }
	!($1 in least) { print $1 ": not in scripts/coverage.txt; run make coverage-update"; failed = 1; next }
	{ printf "%-60s %5.1f %% (at least %d)\n", $1, $2, least[$1]; seen[$1] = 1 }
	$2 < least[$1] { print $1 ": the coverage has fallen below " least[$1] " %"; failed = 1 }
	END {
		for (package in least) if (!(package in seen)) { print package ": is in scripts/coverage.txt, but has no tests any more"; failed = 1 }
		exit failed
	}
' scripts/coverage.txt "$work/sorted"
