#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: find-logs.sh FOLDER|FILE
# Prints its absolute path, or fails with one line that says what is wrong with it.
set -eu

fail() {
	echo "LOGS=$logs: $1. Where to get logs: see docs/inputs.md#no-invocations" >&2
	exit 1
}

logs=$1
case $logs in "~/"*) logs=$HOME/${logs#"~/"} ;; esac # not every shell expands the ~ of LOGS=~/folder

if [ -f "$logs" ]; then
	echo "$(cd "$(dirname "$logs")" && pwd)/$(basename "$logs")"
	exit
fi
[ -d "$logs" ] || fail "no such folder or file"
folder=$(cd "$logs" && pwd)

# Includes and excludes the same files as config/quickstart.yaml.
included() {
	find -L "$folder" -type f \
		\( -name '*.json' -o -name '*.jsonl' -o -name '*.ndjson' -o -name '*.log' -o -name '*.gz' \) 2>/dev/null
}
excluded='/data/[^/]*_((input|output)\.json(\.gz)?|input_media_[^/]*)$'

included | grep -q . || fail "no log file in it or below (looked for .json, .jsonl, .ndjson, .log and .gz)"
included | grep -Evq "$excluded" ||
	fail "only bodies that Bedrock stores beside its records (in data/), but no records; name a parent folder"
echo "$folder"
