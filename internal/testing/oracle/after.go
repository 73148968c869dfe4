// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"slices"
	"time"
)

// Counted returns the distinct events that a rule counts: all calls or, where the
// rule has After, those that follow an intervention.
func Counted(events []Event, rule Rule) []Event {
	calls := Distinct(where(events, func(e Event) bool { return !e.Uncounted }))
	if rule.After == 0 {
		return calls
	}
	interventions := byGroup(Interventions(events))
	return where(calls, func(call Event) bool {
		return slices.ContainsFunc(interventions[call.Group], func(i Event) bool { return follows(call, i, rule.After) })
	})
}

// Interventions returns the distinct events in which a guardrail intervened.
func Interventions(events []Event) []Event {
	return Distinct(where(events, func(e Event) bool { return e.Intervened }))
}

// Followed returns those of some interventions that are of the call's group and lie in
// [t - after, t), where t is the time of the call.
func Followed(call Event, interventions []Event, after time.Duration) []Event {
	return where(interventions, func(i Event) bool { return i.Group == call.Group && follows(call, i, after) })
}

func follows(call, intervention Event, after time.Duration) bool {
	return intervention.Time < call.Time && between(intervention.Time, call.Time) <= uint64(after)
}

// Repeats returns how many events were known already when they arrived, as all that
// they are: a call, an intervention, or both.
func Repeats(events []Event) int {
	calls, interventions := map[Event]bool{}, map[Event]bool{}
	repeats := 0
	for _, event := range events {
		id := event.identity()
		if (event.Uncounted || calls[id]) && (!event.Intervened || interventions[id]) {
			repeats++
		}
		calls[id] = calls[id] || !event.Uncounted
		interventions[id] = interventions[id] || event.Intervened
	}
	return repeats
}

func where(events []Event, is func(Event) bool) []Event {
	var some []Event
	for _, event := range events {
		if is(event) {
			some = append(some, event)
		}
	}
	return some
}
