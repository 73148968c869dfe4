#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: find-logs.sh FOLDER|FILE
# Prints its absolute path, or says in one line what is wrong with it.
set -eu

fail() {
	echo "LOGS=$logs: $1" >&2
	exit 1
}

logs=$1
case $logs in "~/"*) logs=$HOME/${logs#"~/"} ;; esac # not every shell expands the ~ of LOGS=~/folder

if [ -f "$logs" ]; then
	echo "$(cd "$(dirname "$logs")" && pwd)/$(basename "$logs")"
	exit
fi
[ -d "$logs" ] || fail "no such folder"

# The same file names as in config/quickstart.yaml.
find -L "$logs" -type f \
	\( -name '*.json' -o -name '*.jsonl' -o -name '*.ndjson' -o -name '*.log' -o -name '*.gz' \) 2>/dev/null |
	grep -q . || fail "no log file in it or below (looked for .json, .jsonl, .ndjson, .log and .gz)"
cd "$logs" && pwd
