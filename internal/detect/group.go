// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
	"unique"
)

// group is what is remembered of one group: its events by bucket, and its alerts.
type group struct {
	buckets map[int64]*bucket // by start, counted in window sizes since the Unix epoch
	alerts  []*openAlert
	// observed holds the events that are known by their ID alone, with the
	// generation in which each arrived.
	observed map[string]uint32
}

// bucket is one window size of event time.
type bucket struct {
	events []event    // by time, at one time by id
	alert  *openAlert // the alert it belongs to, once it alerts
	cut    bool       // its oldest events were let go
}

type event struct {
	time       int64
	id         string
	requestID  string
	model      unique.Handle[string]
	operation  unique.Handle[string]
	region     unique.Handle[string]
	generation uint32
	presumed   bool
}

// exactCount is up to how many events of a bucket are counted exactly. A bucket
// over it lets its oldest go: it alerts already, and a window that reaches into
// it from the next bucket holds all its newer ones before any older.
const exactCount = 4096

// seen reports whether the ID was, and otherwise remembers it.
func (g *group) seen(id string, generation uint32) bool {
	if _, ok := g.observed[id]; ok {
		return true
	}
	if g.observed == nil {
		g.observed = map[string]uint32{}
	}
	g.observed[strings.Clone(id)] = generation
	return false
}

// after gives how many events are not later than t.
func (b *bucket) after(t int64) int {
	return sort.Search(len(b.events), func(i int) bool { return b.events[i].time > t })
}

// place gives where an event belongs, and whether it is there already.
func (b *bucket) place(t int64, id string) (at int, found bool) {
	return slices.BinarySearchFunc(b.events, id, func(e event, id string) int {
		if e.time != t {
			return cmp.Compare(e.time, t)
		}
		return cmp.Compare(e.id, id)
	})
}

// insert puts an event in its place. It reports false for a repeat.
func (b *bucket) insert(e *Event, generation uint32, threshold int) bool {
	at, found := b.place(e.Time, e.ID)
	if found {
		return false
	}
	if b.cut && at == 0 { // it would be the next to go
		return true
	}
	id := strings.Clone(e.ID)
	requestID := id
	if e.RequestID != e.ID {
		requestID = strings.Clone(e.RequestID)
	}
	b.events = slices.Insert(b.events, at, event{
		time:       e.Time,
		id:         id,
		requestID:  requestID,
		model:      unique.Make(e.Model),
		operation:  unique.Make(e.Operation),
		region:     unique.Make(e.Region),
		generation: generation,
		presumed:   e.Presumed,
	})
	if limit := max(exactCount, threshold+1); len(b.events) >= 2*limit {
		b.cutTo(limit)
	}
	return true
}

// cutTo lets the oldest events go. The newest stand in for them, so they are
// remembered for as long.
func (b *bucket) cutTo(limit int) {
	gone := b.events[:len(b.events)-limit]
	var newest uint32
	for i := range gone {
		newest = max(newest, gone[i].generation)
	}
	b.events = slices.Clone(b.events[len(gone):])
	for i := range b.events {
		b.events[i].generation = max(b.events[i].generation, newest)
	}
	b.cut = true
}

// crosses looks for a window that ends in a bucket, at an event from t on and
// less than a size behind it, and holds more than the threshold. A bucket that
// alerts already is not looked at; any other holds at most the threshold of
// events, all within one window of its last, which bounds the search.
func (g *group) crosses(rule *Rule, index, t int64) (end int64, crossed bool) {
	b := g.buckets[index]
	if b == nil || b.alert != nil {
		return 0, false
	}
	previous := g.buckets[index-1]
	for i := range b.events {
		end := b.events[i].time
		if end < t || i+1 < len(b.events) && b.events[i+1].time == end {
			continue
		}
		if end-t >= int64(rule.Size) {
			break
		}
		if i+1+previous.within(rule.Size, end) > rule.Threshold {
			return end, true
		}
	}
	return 0, false
}

// within gives how many events of the bucket lie in the window that ends at end,
// an instant in the next bucket.
func (b *bucket) within(size time.Duration, end int64) int {
	if b == nil {
		return 0
	}
	return len(b.events) - sort.Search(len(b.events), func(i int) bool { return end-b.events[i].time < int64(size) })
}

// raise describes the window that ends at end, in a bucket.
func (g *group) raise(rule *Rule, key []byte, index, end int64) Alert {
	size := int64(rule.Size)
	alert := Alert{
		Group:       SplitKey(string(key)),
		Exact:       true,
		Bucket:      index * size,
		WindowStart: index * size,
		WindowEnd:   (index + 1) * size,
	}
	add := func(e *event) {
		if alert.Count == 0 {
			alert.First = e.time
		}
		alert.Last = e.time
		alert.Count++
		if e.presumed {
			alert.Presumed++
		}
		alert.RequestIDs = addEvidence(alert.RequestIDs, e.requestID)
		alert.Models = addEvidence(alert.Models, e.model.Value())
		alert.Operations = addEvidence(alert.Operations, e.operation.Value())
		alert.Regions = addEvidence(alert.Regions, e.region.Value())
	}
	if previous := g.buckets[index-1]; previous != nil {
		first := len(previous.events) - previous.within(rule.Size, end)
		for i := first; i < len(previous.events); i++ {
			add(&previous.events[i])
		}
		alert.Exact = first > 0 || !previous.cut
	}
	b := g.buckets[index]
	for i := range b.after(end) {
		add(&b.events[i])
	}
	return alert
}

// maxEvidence is how many values of each kind an alert carries.
const maxEvidence = 10

// addEvidence appends a value, or moves it to the end where it is present, and
// keeps the newest.
func addEvidence(values []string, value string) []string {
	if value == "" {
		return values
	}
	if i := slices.Index(values, value); i >= 0 {
		values = slices.Delete(values, i, i+1)
	}
	values = append(values, value)
	return values[max(0, len(values)-maxEvidence):]
}

// forget drops what arrived up to a generation. It reports whether nothing is left.
func (g *group) forget(upTo uint32, rule *Rule, now time.Time) bool {
	for id, generation := range g.observed {
		if generation <= upTo {
			delete(g.observed, id)
		}
	}
	for index, b := range g.buckets {
		b.events = slices.DeleteFunc(b.events, func(e event) bool { return e.generation <= upTo })
		if len(b.events) == 0 {
			delete(g.buckets, index)
		}
	}
	keep := max(rule.KeepAlive, rule.Size+rule.Retention)
	g.alerts = slices.DeleteFunc(g.alerts, func(a *openAlert) bool { return now.Sub(a.changed) > keep })
	return len(g.buckets) == 0 && len(g.observed) == 0 && len(g.alerts) == 0
}
