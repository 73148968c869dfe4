// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"cmp"
	"slices"
)

// Run is a session: invocations of a group of which none is more than the gap
// after the one before.
type Run struct {
	Group       string
	First, Last int64
	Count       int
}

// Holds reports whether a time of a group lies within the run.
func (r Run) Holds(group string, at int64) bool {
	return r.Group == group && r.First <= at && at <= r.Last
}

// Runs returns all sessions, whether they alert or not, by group and time.
func Runs(events []Event, rule Rule) []Run {
	var all []Run
	for _, group := range byGroup(Counted(events, rule)) {
		all = append(all, runs(group, rule)...)
	}
	slices.SortFunc(all, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.First, b.First))
	})
	return all
}

func runs(group []Event, rule Rule) []Run {
	group = slices.Clone(group)
	slices.SortStableFunc(group, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
	var all []Run
	for _, event := range group {
		if len(all) == 0 || between(all[len(all)-1].Last, event.Time) > uint64(rule.Size) {
			all = append(all, Run{Group: event.Group, First: event.Time})
		}
		run := &all[len(all)-1]
		run.Last = event.Time
		run.Count++
	}
	return all
}

// Between returns the distinct events of a group in [first, last].
func Between(events []Event, group string, first, last int64) []Event {
	var found []Event
	for _, event := range Distinct(events) {
		if event.Group == group && first <= event.Time && event.Time <= last {
			found = append(found, event)
		}
	}
	return found
}
