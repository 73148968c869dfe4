#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: fuzz.sh TIME FOLDER...
# Runs every fuzz target in the packages below the folders, one after another, each for TIME.
set -eu

time=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

fuzz() {
	go test -run='^$' -fuzz="^$2\$" -fuzztime="$time" "./$1" >"$log" 2>&1 && return
	# Go before 1.27 sometimes reports the end of the time as a failure (https://go.dev/issue/75804).
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -Eq 'Failing input|failure while|panic:' "$log"
}

targets=$(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' "$@" | sort || true)
[ -n "$targets" ] || echo "no fuzz targets"
for target in $(echo "$targets" | sed 's/:func /:/'); do
	package=$(dirname "${target%%:*}")
	name=${target#*:}
	echo "$name in $package for $time"
	fuzz "$package" "$name" || {
		cat "$log"
		exit 1
	}
	grep '^fuzz: elapsed' "$log" | tail -n 1
done
