// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Rule decides when a group alerts.
type Rule struct {
	Threshold   int           // alert when one window holds more than this many distinct events
	Size        time.Duration // of the sliding window, and of a bucket
	KeepAlive   time.Duration // how long after an alerting bucket another still belongs to its alert; 0: each its own
	MaxDuration time.Duration // the most event time that one alert spans
	Retention   time.Duration // how long beyond Size an event is remembered after it arrived
}

// Event is one counted invocation as one rule sees it. Nothing of it is kept
// when Observe has returned.
type Event struct {
	Time   int64  // Unix nanoseconds
	Key    []byte // the group, made by AppendKey
	ID     string // the same ID at the same time again is a repeat
	IDOnly bool   // Time is only when the record was observed: repeats are told by ID alone

	Presumed                            bool   // counted by presumption
	RequestID, Model, Operation, Region string // evidence; empty where not told
}

// Alert is raised when a group's first bucket alerts, or the first in a while.
type Alert struct {
	Group []string // the group's values

	Bucket                 int64 // start of the bucket that opened it, Unix nanoseconds
	WindowStart, WindowEnd int64 // of the alerting bucket

	// Of the events in the window that crossed the threshold.
	First, Last int64 // event times
	Count       int
	Presumed    int  // by presumption
	Exact       bool // false: Count is a lower bound

	// Evidence of the same window: the newest ten of each, in order of time.
	RequestIDs, Models, Operations, Regions []string
}

// Result is what a batch of events came to.
type Result struct {
	Alerts  []Alert // in the order of the events that raised them
	Repeats int     // events that were counted before
}

// shardCount is how many locks share the groups: enough that a machine's cores
// seldom meet.
const shardCount = 64

// Detector holds the windows of one rule. It may be used by any number of
// goroutines at once.
type Detector struct {
	rule Rule
	// The seed is random, so that nobody can choose groups which share a shard.
	seed    maphash.Seed
	shards  [shardCount]shard
	scratch sync.Pool
}

// New makes a Detector.
func New(rule Rule) *Detector {
	d := &Detector{rule: rule, seed: maphash.MakeSeed()}
	d.scratch.New = func() any { return new(batchOrder) }
	for i := range d.shards {
		d.shards[i].groups = map[string]*group{}
	}
	return d
}

// batchOrder lists the events of a batch by shard, as linked lists.
type batchOrder struct {
	first [shardCount]int32
	next  []int32
}

// Observe counts a batch of events and returns the alerts that they raise. now
// is the present, for what is remembered by arrival. Each shard is locked once.
func (d *Detector) Observe(events []Event, now time.Time) Result {
	var result Result
	if len(events) == 0 {
		return result
	}
	order := d.scratch.Get().(*batchOrder)
	defer d.scratch.Put(order)
	d.sort(events, order)

	var raised []raisedAlert
	for i := range d.shards {
		if order.first[i] < 0 {
			continue
		}
		shard := &d.shards[i]
		shard.mu.Lock()
		shard.turn(&d.rule, now)
		for n := order.first[i]; n >= 0; n = order.next[n] {
			before := len(raised)
			var repeat bool
			raised, repeat = shard.insert(&d.rule, &events[n], now, raised)
			if repeat {
				result.Repeats++
			}
			for j := before; j < len(raised); j++ {
				raised[j].event = n
			}
		}
		shard.mu.Unlock()
	}
	slices.SortStableFunc(raised, func(a, b raisedAlert) int { return cmp.Compare(a.event, b.event) })
	for _, r := range raised {
		result.Alerts = append(result.Alerts, r.Alert)
	}
	return result
}

// raisedAlert is an alert with the place in its batch of the event that raised it.
type raisedAlert struct {
	Alert
	event int32
}

func (d *Detector) sort(events []Event, order *batchOrder) {
	for i := range order.first {
		order.first[i] = -1
	}
	order.next = slices.Grow(order.next[:0], len(events))[:len(events)]
	// From the back, so that each list runs in the order of the batch.
	for i := len(events) - 1; i >= 0; i-- {
		shard := maphash.Bytes(d.seed, events[i].Key) % shardCount
		order.next[i] = order.first[shard]
		order.first[shard] = int32(i)
	}
}

// Forget drops what arrived too long before now. Observe does so for the groups
// that it comes by; this is for the others.
func (d *Detector) Forget(now time.Time) {
	for i := range d.shards {
		d.shards[i].mu.Lock()
		d.shards[i].turn(&d.rule, now)
		d.shards[i].mu.Unlock()
	}
}

// Groups returns how many groups are remembered.
func (d *Detector) Groups() int {
	n := 0
	for i := range d.shards {
		d.shards[i].mu.Lock()
		n += len(d.shards[i].groups)
		d.shards[i].mu.Unlock()
	}
	return n
}
