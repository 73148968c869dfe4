#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: test-json.sh "FLAGS" MODULE...
# Runs `go test -json` in one module after another, so that gotestsum reads one stream and counts all tests together.
set -u

flags=$1
shift
status=0
for module in "$@"; do
	# shellcheck disable=SC2086 # $flags holds several flags
	(cd "$module" && go test -json $flags ./...) || status=1
done
exit $status
