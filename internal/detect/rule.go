// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "time"

// WindowType is how windows lie in event time.
type WindowType uint8

// The window types.
const (
	Sliding  WindowType = iota // every stretch of the size that ends with an event
	Tumbling                   // the buckets themselves
	Session                    // runs of events at most the size apart
)

// Rule decides when a group alerts.
type Rule struct {
	Window      WindowType
	Size        time.Duration // of a window and of a bucket; session: the longest gap within one
	Threshold   int           // alert when one window holds more than this many distinct events
	KeepAlive   time.Duration // how long after an alerting bucket another still belongs to its alert; 0: each its own
	MaxDuration time.Duration // the most event time that one alert spans
	Limit       int           // alerts opened in ten minutes, the rest are summed up; 0: no limit
	Retention   time.Duration // how long beyond Size an event is remembered after it arrived
	MaxBytes    int64         // bound on the memory taken; 0: none
}

// Event is one counted invocation as one rule sees it. Nothing of it is kept
// by reference when Observe has returned.
type Event struct {
	Time   int64  // Unix nanoseconds
	Key    []byte // the group, made by AppendKey
	ID     string // the same ID at the same time again is a repeat
	IDOnly bool   // Time is only when the record was observed: repeats are told by ID alone

	Presumed                            bool   // counted by presumption
	RequestID, Model, Operation, Region string // evidence; empty where not told
}

// State is what an [Alert] tells of its alert.
type State uint8

// The states.
const (
	Open      State = iota // the first bucket of it alerts
	Escalated              // its count has passed ten, a hundred... times the threshold
	Closed                 // nothing has changed it for the keep-alive, or it spans its maximum; or a late event has corrected it
	Overflow               // alerts over the limit, or groups over the memory
)

// Alert is what is to be told of an alert at one moment.
type Alert struct {
	State State
	Group []string // the group's values; overflow: none

	Opened                 int64 // start of the bucket that opened it (session: its first event then), Unix nanoseconds
	MergedInto             int64 // Opened of the group's alert that goes on for this one, if Merged
	Merged                 bool
	WindowStart, WindowEnd int64 // of the buckets that alert, from the first to the last; session: first and last event

	// Open: of the events in the window that crossed the threshold. Later: of all
	// events from First to Last.
	First, Last int64 // event times
	Count       int
	Presumed    int  // by presumption
	Exact       bool // false: Count is a lower bound

	// Evidence: the newest ten of each among those events, in order of time.
	RequestIDs, Models, Operations, Regions []string

	Overflow *Summary // of an overflow
}

// Summary is what an overflow stands for.
type Summary struct {
	Groups      []SummaryGroup // whose alerts were not opened, the largest first
	Invocations int            // that those counted
	Evicted     int            // groups forgotten for want of memory
}

// SummaryGroup is a group in a [Summary].
type SummaryGroup struct {
	Group []string
	Count int
}

// Result is what a batch of events came to.
type Result struct {
	Alerts  []Alert // in the order of the events that raised them
	Repeats int     // events that were counted before
}

// Stats tell what is remembered.
type Stats struct {
	Groups  int
	Evicted int   // groups forgotten for want of memory, since the start
	Limited int   // alerts not opened because of the limit, since the start
	Bytes   int64 // memory taken
}
