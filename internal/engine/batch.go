// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/lastguarded"
)

// batch is the working memory of one call. Later calls reuse it, so that a call
// allocates nothing unless it raises an alert.
type batch struct {
	invocation  invocation.Invocation
	records     int64 // excluding our own alerts
	kinds       kindTable[int64]
	noPartition int64     // invocations that annotate could not assign to a partition
	delays      []float64 // of counted invocations on arrival, in seconds
	rules       []collected
	guarded     []lastguarded.Batch // by table
	due         []dueAlert
}

// kindTable holds a value for every verdict and evidence.
type kindTable[T any] [invocation.VerdictCount][invocation.EvidenceCount]T

// collected holds the invocations of a batch that a rule counts.
type collected struct {
	events   []detect.Event
	calls    int    // of the events, those that are more than an intervention
	keys     []byte // backing array of the events' keys
	excluded [excludedCount]int64
}

func newBatch(rules, tables int) *batch {
	return &batch{rules: make([]collected, rules), guarded: make([]lastguarded.Batch, tables)}
}

// putBack clears a batch, so that it references no records, and returns it to the pool.
func (e *Engine) putBack(b *batch) {
	b.invocation.Clear()
	b.records = 0
	b.kinds = kindTable[int64]{}
	b.noPartition = 0
	b.delays = b.delays[:0]
	clear(b.due)
	b.due = b.due[:0]
	for i := range b.rules {
		c := &b.rules[i]
		clear(c.events)
		*c = collected{events: c.events[:0], keys: c.keys[:0]}
	}
	e.batches.Put(b)
}

// collect adds an invocation whose verdict the rule counts. It reports false, and
// counts the reason, when the rule excludes the invocation.
func (c *collected) collect(r *rule, inv *invocation.Invocation, source *invocation.Source, now time.Time) bool {
	if r.exempts(inv) {
		c.excluded[excludedExempt]++
		c.collectIntervention(r, inv, source, now)
		return false
	}
	event, excluded := c.event(r, inv, source, now)
	if excluded != included {
		c.excluded[excluded]++
		return false
	}
	event.Intervened = r.after && inv.Intervened
	c.events = append(c.events, event)
	c.calls++
	return true
}

// collectIntervention adds an invocation that the rule does not count, if a guardrail
// intervened in it and the rule counts what follows that.
func (c *collected) collectIntervention(r *rule, inv *invocation.Invocation, source *invocation.Source, now time.Time) {
	if !r.after || !inv.Intervened {
		return
	}
	if event, excluded := c.event(r, inv, source, now); excluded == included {
		event.Intervened, event.Uncounted = true, true
		c.events = append(c.events, event)
	}
}

// event returns an invocation as a rule sees it, or the reason for which the rule excludes
// it.
func (c *collected) event(r *rule, inv *invocation.Invocation, source *invocation.Source, now time.Time) (event detect.Event, excluded int) {
	if inv.TimeSource == invocation.NoTime {
		return event, excludedNoTime
	}
	delay := now.Sub(time.Unix(0, inv.Time))
	if r.maxAge > 0 && delay > r.maxAge {
		return event, excludedTooOld
	}
	start := len(c.keys)
	for i, field := range r.group {
		value := field.value(inv, source)
		if i == 0 && value == "" {
			return event, excludedNoGroup
		}
		c.keys = detect.AppendKey(c.keys, value)
	}
	id := inv.RequestID
	if id == "" {
		id = inv.ContentID(*source)
	}
	event = detect.Event{
		Time:      inv.Time,
		Key:       c.keys[start:len(c.keys):len(c.keys)],
		ID:        id,
		IDOnly:    inv.TimeSource == invocation.ObservedTime,
		Presumed:  inv.Evidence == invocation.Presumed,
		Kind:      inv.Kind.String(),
		RequestID: inv.RequestID,
		Model:     inv.Model,
		Operation: inv.Operation,
		Region:    inv.Region,
	}
	if r.after && len(inv.Guardrails) > 0 {
		event.GuardrailID = inv.Guardrails[0].ID
	}
	return event, included
}
