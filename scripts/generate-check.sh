#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: generate-check.sh COMMAND...
# Runs the command that generates files and fails when it changes any: the tree was then not up to date.
# Compares the tree before and after, not with the last commit, so that it also works with uncommitted changes.
set -eu

snapshot() {
	find . -type f ! -path './.git/*' ! -path './dist/*' -exec cksum {} + | sort -k 3
}

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

snapshot >"$before"
"$@"
snapshot >"$after"

if ! cmp -s "$before" "$after"; then
	echo "Generated files were not up to date; run 'make generate' and commit the result:" >&2
	diff "$before" "$after" | sed -n 's/^[<>] [0-9]* [0-9]* \.\//  /p' | sort -u >&2
	exit 1
fi
