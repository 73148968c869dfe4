// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// State is the state of an alert that an [Alert] reports.
type State uint8

// The states.
const (
	Open      State = iota // its first bucket alerts
	Escalated              // its count has passed ten, a hundred... times the threshold
	Closed                 // nothing has changed it for the keep-alive, or it has its maximum duration; or a late event has corrected it
	Overflow               // alerts over the limit, or groups forgotten for lack of memory
)

// Alert is a snapshot of an alert, taken when one of its states is reported.
type Alert struct {
	State   State
	Earlier int      // records of this alert that were emitted before
	Group   []string // the group's values; overflow: none

	Opened                 int64 // start of the bucket that opened it (session: of its first event then), Unix nanoseconds
	MergedInto             int64 // Opened of the group's alert that continues this one, if Merged
	Merged                 bool
	WindowStart, WindowEnd int64 // of the buckets that alert, from the first to the last; session: first and last event

	// Open: of the events in the window that crossed the threshold. Later: of all events from
	// First to Last.
	First, Last int64 // event times
	Count       int
	Presumed    int  // of Count, by presumption
	Exact       bool // false: Count is a lower bound

	// Evidence: the newest ten of each among those events, in order of time.
	RequestIDs, Models, Operations, Regions []string
	Kinds                                   []string // of all of those events that are remembered, sorted

	// Intervention is the latest intervention before the first of those events, as known when the
	// alert was opened: all records of the alert carry the same. It is nil where the rule has no
	// AfterIntervention, or none is remembered.
	Intervention *Intervention

	Overflow *Summary // of an overflow
}

// Intervention is an invocation in which a guardrail intervened.
type Intervention = journal.Intervention

// Summary is what an overflow stands for.
type Summary struct {
	Groups      []SummaryGroup // whose alerts were not opened, the largest first
	Invocations int            // that those counted
	Evicted     int            // groups forgotten for lack of memory
}

// SummaryGroup is a group in a [Summary].
type SummaryGroup struct {
	Group []string
	Count int
}

// report returns a record of a group's alert as it stands, and counts it. The caller saves the
// alert.
func (s *shard) report(g store.GroupID, a *openAlert, state State) Alert {
	size := int64(s.rule.Size)
	record := Alert{
		State:       state,
		Earlier:     a.Records,
		Group:       SplitKey(a.Key),
		Opened:      a.Opened,
		WindowStart: a.FirstBucket * size,
		WindowEnd:   (a.LastBucket + 1) * size,
		First:       a.FirstTime,
		Last:        a.LastTime,
		Count:       a.Count,
		Presumed:    a.Presumed,
		Exact:       !a.Inexact,

		Intervention: a.Intervention,
	}
	if s.rule.Window == Session {
		record.WindowStart, record.WindowEnd = a.FirstTime, a.LastTime
	}
	s.addEvidence(&record, g, a.FirstTime, a.LastTime)
	a.Records++
	return record
}

// maxWalk bounds how many buckets are looked at for one alert. Only an alert with a
// keep-alive of thousands of windows has more; its count is then inexact.
const maxWalk = 4096

// countBetween counts a group's events from one time to another, both included, and those of
// them by presumption. If inexact, there were more.
func (s *shard) countBetween(g store.GroupID, from, to int64) (count, presumed int, inexact bool) {
	last := s.store.IndexOf(to)
	for index, steps := s.store.IndexOf(from), 0; index <= last; index, steps = index+1, steps+1 {
		if steps == maxWalk {
			return count, presumed, true
		}
		n := s.store.Find(g, index)
		if n == 0 {
			continue
		}
		events := s.store.EventsOf(n)
		start := store.CountBefore(events, from)
		// What was discarded of a bucket was older than the rest of it.
		inexact = inexact || start == 0 && s.store.Bucket(n).Truncated
		for _, e := range events[start:store.CountUpTo(events, to)] {
			count++
			if e.Flags&store.EventPresumed != 0 {
				presumed++
			}
		}
	}
	return count, presumed, inexact
}
