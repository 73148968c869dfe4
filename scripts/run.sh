#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: run.sh BINARY LOGS
# Runs the quickstart over a folder and shows its alerts without the headings that the debug exporter puts around each batch.
# Of what the collector logs it shows warnings and errors, and in plain words what the processor says of the first records.
# Exits as the collector does, which on Ctrl-C is 0; the filters go on until the last line is out.
set -u

binary=$1
export GUARDRAIL_LOGS=$2
trap : INT

# A line is: time, level, message, fields, with tabs between.
notices() {
	tab=$(printf '\t')
	while IFS= read -r line; do
		case $line in
		*"${tab}info${tab}"*'"otelcol.component.id": "gen_ai_guardrail"'*)
			line=${line#*"${tab}info${tab}"}
			echo "${line%%"$tab"*}"
			;;
		*"${tab}info${tab}"*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

{
	status=$(
		trap : INT # a subshell begins without
		{
			{
				{
					trap : INT
					"$binary" --config config/quickstart.yaml --set=service.telemetry.logs.level=info
					echo $? >&4
				} 2>&6 | (trap '' INT && exec grep --line-buffered -Ev '^(Logs[[:space:]]|ResourceLog #|ScopeLog #)') >&5
			} 6>&1 | (trap '' INT && notices) >&2
		} 4>&1
	)
} 5>&1
exit "$status"
