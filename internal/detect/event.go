// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// Event is one invocation as one rule sees it: one that the rule counts or, where the rule has
// [Rule.AfterIntervention], one in which a guardrail intervened, or both. Nothing of it is kept
// by reference when Observe has returned.
type Event struct {
	Time   int64  // Unix nanoseconds
	Key    []byte // of the group, made by AppendKey
	ID     string // the same ID at the same time again is a repeat
	IDOnly bool   // Time is only when the record was observed: a repeat is recognised by ID alone

	Presumed                            bool   // counted by presumption
	Kind                                string // what the rule counts it as, in words of the caller; an alert lists all kinds
	RequestID, Model, Operation, Region string // evidence; empty where unknown

	// What follows is only looked at where the rule has AfterIntervention.

	Intervened  bool   // a guardrail intervened: what the group does next may count
	Uncounted   bool   // it is no invocation that the rule counts, only an intervention
	GuardrailID string // of the guardrail that intervened; empty where unknown
}

// Result holds the outcome of [Detector.Observe].
type Result struct {
	Alerts  []Alert // to be emitted, in the order of the events that caused them
	Repeats int     // events that were known before
	Calls   int     // events that are more than an intervention, and were not known as such before
}

// Stats describes what a detector remembers.
type Stats struct {
	Groups  int   // of which invocations are counted, or alerts known
	Held    int   // groups of which an intervention is known, or an invocation waits for one
	Evicted int   // times that a group, or part of it, was forgotten for lack of memory, since the start
	Limited int   // alerts not opened because of the limit, since the start
	Bytes   int64 // memory taken
}
