// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// shardCount is how many locks share the groups: enough that a machine's cores
// seldom meet.
const shardCount = 32

// Detector holds the windows of one rule. It may be used by any number of
// goroutines at once.
type Detector struct {
	rule    Rule
	hasher  hasher // its keys are random: nobody can choose groups that share a shard, or an identity
	shards  [shardCount]shard
	limiter limiter
	journal *Journal // nil: nothing is kept over a restart
	scratch sync.Pool
}

// New makes a Detector.
func New(rule Rule) *Detector {
	d := &Detector{rule: rule, hasher: newHasher(), limiter: limiter{limit: rule.Limit}}
	d.scratch.New = func() any { return new(batchOrder) }
	for i := range d.shards {
		s := &d.shards[i]
		s.rule, s.hasher = &d.rule, &d.hasher
		s.few, s.apart = d.rule.few()
		s.lead = time.Duration(d.rule.generationLength() / shardCount * int64(i))
		s.profiles.most = s.budget() / 16
	}
	return d
}

// batchOrder lists the events of a batch by shard, as linked lists.
type batchOrder struct {
	first    [shardCount]int32
	prepared []prepared
	fresh    []int32 // events of a shard that are no repeats
}

// prepared is what of an event is worked out before it is counted.
type prepared struct {
	hash  groupHash
	id    eventID
	flags eventFlags
	group uint32 // as found before the first event of the shard was counted; 0: there was none
	next  int32  // event of the shard; -1: none
}

// Observe counts a batch of events and returns what is to be told of alerts
// because of them. now is the present, for what goes by arrival. Each shard is
// locked once, unless the batch might go over the limit of alerts.
func (d *Detector) Observe(events []Event, now time.Time) Result {
	var result Result
	if len(events) == 0 {
		return result
	}
	if len(events) > 1 && d.limiter.tight(2*len(events), now) { // one event makes at most two buckets alert
		return d.observeInOrder(events, now)
	}
	order := d.scratch.Get().(*batchOrder)
	defer d.scratch.Put(order)
	d.sort(events, order)

	c := change{limiter: &d.limiter, now: now}
	counted := 0
	start := order.prepared[0].hash.shard() // anywhere, so that calls do not follow each other from lock to lock
	for k := range uint64(shardCount) {
		i := (start + k) % shardCount
		if order.first[i] < 0 {
			continue
		}
		s := &d.shards[i]
		s.mu.Lock()
		s.turn(now)
		if s.many() {
			s.readAhead(order.prepared, order.first[i])
		}
		c.shard = s
		c.countList(events, order, order.first[i])
		counted += len(order.fresh)
		d.journal.enter(s, &d.limiter, events, order.fresh, now)
		s.mu.Unlock()
	}
	result.Repeats = len(events) - counted
	result.Alerts = c.inOrder()
	return result
}

// countList counts the events of a list.
func (c *change) countList(events []Event, order *batchOrder, first int32) {
	prepared, fresh := order.prepared, order.fresh[:0]
	for n := first; n >= 0; n = prepared[n].next {
		if c.count(&events[n], &prepared[n]) {
			fresh = append(fresh, n)
		}
		for len(c.causes) < len(c.told) {
			c.causes = append(c.causes, n)
		}
	}
	order.fresh = fresh
}

// inOrder gives what is told in the order of the events that caused it.
func (c *change) inOrder() []Alert {
	order := make([]int, len(c.told))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.causes[a], c.causes[b]) })
	var told []Alert
	for _, i := range order {
		told = append(told, c.told[i])
	}
	return told
}

func (d *Detector) sort(events []Event, order *batchOrder) {
	for i := range order.first {
		order.first[i] = -1
	}
	order.prepared = slices.Grow(order.prepared[:0], len(events))[:len(events)]
	prepared := order.prepared
	// From the back, so that each list runs in the order of the batch.
	for i := len(events) - 1; i >= 0; i-- {
		p := &prepared[i]
		p.hash = d.hasher.group(events[i].Key)
		p.group = 0
		var isUUID bool
		if p.id, isUUID = parseUUID(events[i].ID); isUUID {
			p.flags = eventUUID
		} else {
			p.id, p.flags = d.hasher.text(events[i].ID), 0
		}
		first := &order.first[p.hash.shard()]
		p.next, *first = *first, int32(i)
	}
}

// Tick does what time alone brings about: it closes alerts that nothing has
// changed for the keep-alive, tells of corrections and overflows, and forgets.
// To be called every second or so.
func (d *Detector) Tick(now time.Time) []Alert {
	var told []Alert
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		told = s.settle(now, told)
		s.turn(now)
		d.journal.enter(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	return append(told, d.overflow(now, false)...)
}

// Awaits reports whether something is to be told, or allowed again, as soon as enough
// time has passed: alerts to be closed or corrected, an overflow, a limit that is used.
func (d *Detector) Awaits(now time.Time) bool {
	if !d.limiter.idle(now) {
		return true
	}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		unsettled := len(s.unsettled) > s.gone
		s.mu.Unlock()
		if unsettled {
			return true
		}
	}
	return false
}

// Stats tells what is remembered.
func (d *Detector) Stats() Stats {
	stats := Stats{Limited: d.limiter.limitedSoFar()}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		stats.Groups += s.index.used
		stats.Evicted += s.evicted
		stats.Bytes += s.bytes()
		s.mu.Unlock()
	}
	return stats
}
