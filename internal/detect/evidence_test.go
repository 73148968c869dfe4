// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofKind returns events of one group, of a kind, a second apart.
func ofKind(kind string, n int, from time.Time) []Event {
	events := make([]Event, n)
	for i := range events {
		when := from.Add(time.Duration(i) * time.Second)
		events[i] = at("alice", kind+when.String(), when)
		events[i].Kind = kind
	}
	return events
}

// An analyst must learn of every kind that was counted, not only of those of the newest calls:
// one call without a verdict among many that are plainly unguarded points to a source that cannot be judged.
func TestAlertListsAllKindsOfItsCalls(t *testing.T) {
	d := New(hourly())
	d.Observe(ofKind("unknown/no_body", 1, noon.Add(-time.Hour)), noon) // long before
	first := d.Observe(append(ofKind("unguarded/presumed", 1, noon), ofKind("unguarded/absent", 20, noon.Add(time.Second))...), noon).Alerts
	require.Len(t, first, 2, "opened and escalated")
	for _, a := range first {
		assert.Equal(t, []string{"unguarded/absent", "unguarded/presumed"}, a.Kinds)
	}
	d.Observe(ofKind("unapproved/applied", 1, noon.Add(5*time.Minute)), noon)
	d.Observe(ofKind("unguarded/absent", 20, noon.Add(6*time.Minute)), noon)
	closed := d.Tick(noon.Add(10 * time.Minute))
	require.Len(t, closed, 1)
	assert.Equal(t, []string{"unapproved/applied", "unguarded/absent", "unguarded/presumed"}, closed[0].Kinds)
}

// Two calls that differ in one thing only are both in the evidence, also where memory is bounded.
func TestAlertListsWhatItsCallsDifferIn(t *testing.T) {
	rule := hourly()
	rule.Threshold, rule.MaxBytes = 1, 16<<20
	for name, test := range map[string]struct {
		change func(*Event)
		kept   func(Alert) []string
	}{
		"kind":      {func(e *Event) { e.Kind += " b" }, func(a Alert) []string { return a.Kinds }},
		"model":     {func(e *Event) { e.Model += " b" }, func(a Alert) []string { return a.Models }},
		"operation": {func(e *Event) { e.Operation += " b" }, func(a Alert) []string { return a.Operations }},
		"region":    {func(e *Event) { e.Region += " b" }, func(a Alert) []string { return a.Regions }},
	} {
		first, second := at("alice", "1", noon), at("alice", "2", noon.Add(time.Second))
		for _, e := range []*Event{&first, &second} {
			e.Kind, e.Model, e.Operation, e.Region = name, name, name, name
		}
		test.change(&second)
		alerts := New(rule).Observe([]Event{first, second}, noon).Alerts
		require.Len(t, alerts, 1, name)
		assert.Equal(t, []string{name, name + " b"}, test.kept(alerts[0]), name)
	}
}

// Who makes up names of models takes no evidence from other alerts than their models.
func TestKindsSurviveMadeUpNames(t *testing.T) {
	for name, rule := range map[string]Rule{
		"by their number": hourly(),
		"by their size":   {Threshold: 2, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour, MaxBytes: 16 << 20},
	} {
		d := New(rule)
		for i := range 50_000 {
			e := at(fmt.Sprint("user", i), "1", noon)
			e.Kind, e.Model = "unguarded/absent", fmt.Sprintf("%0200d", i)
			d.Observe([]Event{e}, noon)
		}
		events := append(ofKind("unguarded/absent", 2, noon), ofKind("unguarded/presumed", 2, noon.Add(10*time.Second))...)
		for i := range events {
			events[i].Model = "nova"
		}
		alerts := d.Observe(events, noon).Alerts
		require.Len(t, alerts, 1, name)
		assert.Equal(t, []string{"unguarded/absent", "unguarded/presumed"}, alerts[0].Kinds, name)
	}
}

// A backend that drops what it has already, by a record's own id, must not drop a correction.
func TestEachRecordOfAnAlertIsNumbered(t *testing.T) {
	h := newHistory(hourly())
	h.observe(0, 30, 0)
	h.tick(10 * time.Minute)
	for _, late := range []time.Duration{15 * time.Minute, 20 * time.Minute} {
		h.observe(0, 1, late)
		h.tick(late + time.Minute)
	}
	require.Len(t, h.emitted, 5, "opened, escalated, closed, and twice corrected")
	for i, a := range h.emitted {
		assert.Equal(t, i, a.Earlier)
	}
}
