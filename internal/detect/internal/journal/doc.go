// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package journal defines the bytes of a detector's journal: entries, and the pages that
// they are written to. It knows nothing of what the detector does with them.
//
// A page is readable by itself. It consists of entries:
//
//	event         an invocation that was counted
//	waiting       an invocation that counts once an intervention is known that it follows
//	intervention  an invocation in which a guardrail intervened
//	alert         an alert after a change; of one alert, the latest entry counts
//	limiter       how far the limit of alerts is used
//	alerting      the alerting buckets of a group
//	text          a string that later entries of the page refer to by its number
//	arrival       when what follows arrived
//
// docs/state-format.md describes the bytes.
package journal
