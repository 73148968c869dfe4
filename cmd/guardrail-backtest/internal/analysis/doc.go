// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package analysis adds up what a backtest reads and finds.
//
//	Tally   what needs no order: verdicts, who called what and when, blind spots; one for each goroutine, then merged
//	Rule    what a rule makes of the invocations in order of time: groups, their timelines, alerts, and the alerts at
//	        other thresholds and windows
//	Report  all of it, ready to be written in any form
//
// Memory is bounded whatever callers make up: what has too many different values is summed up under "(other)".
package analysis
