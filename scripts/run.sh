#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: run.sh BINARY LOGS
# Runs the quickstart on a folder and prints its alerts without the headings and empty lines that the debug exporter writes for each batch.
# Of the collector's log it prints warnings and errors, the processor's own and its notices about the first records without time and fields.
# Exits with the collector's status, which is 0 on Ctrl-C; the filters run until they have printed the last line.
set -u

binary=$1
export GUARDRAIL_LOGS=$2
trap : INT

# A log line has four fields, separated by tabs: time, level, message, attributes.
notices() {
	tab=$(printf '\t')
	while IFS= read -r line; do
		case $line in
		*"${tab}info${tab}"*'"otelcol.component.id": "gen_ai_guardrail"'*)
			line=${line#*"${tab}info${tab}"}
			echo "${line%%"$tab"*}"
			;;
		*"${tab}warn${tab}"*'"otelcol.component.id": "gen_ai_guardrail"'*)
			line=${line#*"${tab}warn${tab}"}
			echo "Warning: ${line%%"$tab"*}"
			;;
		*"${tab}info${tab}"*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

{
	status=$(
		trap : INT # a subshell does not inherit it
		{
			{
				{
					trap : INT
					"$binary" --config config/quickstart.yaml --set=service.telemetry.logs.level=info
					echo $? >&4
				} 2>&6 | (trap '' INT && exec grep --line-buffered -Ev '^(Logs[[:space:]]|ResourceLog #|ScopeLog #|$)') >&5
			} 6>&1 | (trap '' INT && notices) >&2
		} 4>&1
	)
} 5>&1
exit "$status"
