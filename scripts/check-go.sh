#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: check-go.sh MAJOR.MINOR
# Fails with one line that says what is wrong when Go is missing or older than that.
set -eu

fail() {
	echo "otelcol-guardrail needs Go $min or newer, $1. Get it from https://go.dev/dl/" >&2
	exit 1
}

min=$1
command -v go >/dev/null 2>&1 || fail "and no 'go' was found on the PATH"

# Asked outside any module, so that the answer is not the version that a go.mod here selects.
version=$(cd / && go version 2>&1) || fail "and 'go version' says: $version"
found=$(printf '%s\n' "$version" | sed -n 's/.*go\([0-9][0-9]*\.[0-9][0-9]*[^ ]*\).*/\1/p')
major=${found%%.*}
minor=$(printf '%s\n' "$found" | sed 's/^[0-9]*\.\([0-9]*\).*/\1/')

[ -n "$found" ] || fail "and 'go version' says: $version"
if [ "$major" -lt "${min%%.*}" ] || { [ "$major" -eq "${min%%.*}" ] && [ "$minor" -lt "${min#*.}" ]; }; then
	fail "and found Go $found ($(command -v go))"
fi
