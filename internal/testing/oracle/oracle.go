// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package oracle says which windows alert by looking at every invocation from
// every other one. It is written from the words of the promise and not from an
// algorithm: slow, short, and meant to be believed after one reading. The tests
// of the real detector are measured against it, so it shares no code with it.
package oracle

import (
	"cmp"
	"slices"
	"time"
)

// Event is one invocation. A slice of events is in order of arrival.
type Event struct {
	Time   int64 // event time, Unix nanoseconds
	ID     string
	Group  string
	IDOnly bool // Time says nothing about identity

	Intervened bool // a guardrail intervened in it
	Uncounted  bool // it never counts, whatever else happened
}

// Type is the kind of window.
type Type int

// The kinds of window.
const (
	Sliding Type = iota
	Tumbling
	Session
)

// Rule alerts when a window holds more than Threshold distinct invocations.
type Rule struct {
	Type      Type
	Size      time.Duration // session: the longest gap within one
	Threshold int
	After     time.Duration // not 0: only what follows an intervention within this counts
}

// Alert names what alerts: a group, and the start of a bucket or the time of a
// session's first invocation.
type Alert struct {
	Group string
	Start int64
}

// Alerts returns everything that alerts, once each, sorted by group and time.
func Alerts(events []Event, rule Rule) []Alert {
	found := map[Alert]bool{}
	for _, group := range byGroup(Counted(events, rule)) {
		switch rule.Type {
		case Sliding:
			sliding(found, group, rule)
		case Tumbling:
			tumbling(found, group, rule)
		case Session:
			sessions(found, group, rule)
		}
	}
	return sorted(found)
}

// Distinct drops every event whose group and identity were there before.
func Distinct(events []Event) []Event {
	seen := map[Event]bool{}
	var distinct []Event
	for _, event := range events {
		if id := event.identity(); !seen[id] {
			seen[id] = true
			distinct = append(distinct, event)
		}
	}
	return distinct
}

// identity is what is the same in all repeats of an event.
func (e Event) identity() Event {
	id := Event{Group: e.Group, ID: e.ID, IDOnly: e.IDOnly}
	if !e.IDOnly {
		id.Time = e.Time
	}
	return id
}

// Window returns the distinct events of a group in (end-size, end].
func Window(events []Event, group string, end int64, size time.Duration) []Event {
	var window []Event
	for _, event := range Distinct(events) {
		if event.Group == group && inWindow(event.Time, end, size) {
			window = append(window, event)
		}
	}
	return window
}

// Bucket returns the start of the bucket that holds a time.
func Bucket(at int64, size time.Duration) int64 {
	into := at % int64(size)
	if into < 0 { // Go's remainder takes the sign of the dividend
		into += int64(size)
	}
	return at - into
}

func sliding(found map[Alert]bool, group []Event, rule Rule) {
	for _, end := range group {
		count := 0
		for _, event := range group {
			if inWindow(event.Time, end.Time, rule.Size) {
				count++
			}
		}
		if count > rule.Threshold {
			found[Alert{end.Group, Bucket(end.Time, rule.Size)}] = true
		}
	}
}

func tumbling(found map[Alert]bool, group []Event, rule Rule) {
	for _, one := range group {
		count := 0
		for _, event := range group {
			if Bucket(event.Time, rule.Size) == Bucket(one.Time, rule.Size) {
				count++
			}
		}
		if count > rule.Threshold {
			found[Alert{one.Group, Bucket(one.Time, rule.Size)}] = true
		}
	}
}

func sessions(found map[Alert]bool, group []Event, rule Rule) {
	for _, run := range runs(group, rule) {
		if run.Count > rule.Threshold {
			found[Alert{run.Group, run.First}] = true
		}
	}
}

// inWindow reports whether a time lies in (end-size, end].
func inWindow(at, end int64, size time.Duration) bool {
	return at <= end && between(at, end) < uint64(size)
}

// between is the distance of two ordered times, which can be too long for an int64.
func between(earlier, later int64) uint64 {
	return uint64(later) - uint64(earlier)
}

func byGroup(events []Event) map[string][]Event {
	groups := map[string][]Event{}
	for _, event := range events {
		groups[event.Group] = append(groups[event.Group], event)
	}
	return groups
}

func sorted(found map[Alert]bool) []Alert {
	alerts := make([]Alert, 0, len(found))
	for alert := range found {
		alerts = append(alerts, alert)
	}
	slices.SortFunc(alerts, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Start, b.Start))
	})
	return alerts
}
