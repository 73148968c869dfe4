#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: run.sh BINARY LOGS
# Runs the quickstart over a folder and shows its alerts without the headings that the debug exporter puts around each batch.
# Exits as the collector does, which on Ctrl-C is 0; the filter goes on until the last line is out.
set -u

binary=$1
export GUARDRAIL_LOGS=$2
trap : INT

{
	status=$(
		trap : INT # a subshell begins without
		{
			{ trap : INT; "$binary" --config config/quickstart.yaml; echo $? >&4; } |
				(trap '' INT && exec grep --line-buffered -Ev '^(Logs[[:space:]]|ResourceLog #|ScopeLog #)') >&5
		} 4>&1
	)
} 5>&1
exit "$status"
