// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"
	"sync"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// shardCount is how many locks share the groups: enough that calls on the cores of one
// machine rarely wait for each other.
const shardCount = 32

// Detector holds the windows and the alerts of one rule. It may be used by any number of
// goroutines at once.
type Detector struct {
	rule    Rule
	hasher  hasher
	shards  [shardCount]shard
	limiter limiter
	journal *Journal  // nil: nothing outlives a restart
	batches sync.Pool // of *batch
}

// New returns a Detector that remembers nothing yet.
func New(rule Rule) *Detector {
	d := &Detector{rule: rule, hasher: newHasher(), limiter: limiter{limit: rule.Limit}}
	d.batches.New = func() any { return new(batch) }
	for i := range d.shards {
		s := &d.shards[i]
		s.rule, s.hasher = &d.rule, &d.hasher
		s.store = store.New(store.Config{
			Size: int64(rule.Size), Threshold: rule.Threshold, Session: rule.Window == Session,
		})
		s.generationOffset = time.Duration(rule.generationLength() / shardCount * int64(i))
		s.profiles.maxBytes = s.budget() / 16
		if rule.AfterIntervention > 0 {
			s.held = new(store.Held)
		}
	}
	return d
}

// Observe counts a batch of events, and returns the alerts to be emitted because of them and
// the number of repeats. now is the present, for what depends on arrival. Each shard is
// locked once, unless the batch might exceed the limit of alerts: then the order of events
// decides which alerts are opened.
func (d *Detector) Observe(events []Event, now time.Time) Result {
	if len(events) == 0 {
		return Result{}
	}
	if len(events) > 1 && d.limiter.mayExceed(d.mostAlerts(events), now) {
		return d.observeInOrder(events, now)
	}
	b := d.batches.Get().(*batch)
	defer d.batches.Put(b)
	b.prepare(events, &d.hasher)

	u := groupUpdate{limiter: &d.limiter, now: now}
	added, calls := 0, 0
	start := shardOf(b.prepared[0].Hash) // anywhere, so that calls do not follow each other from lock to lock
	for k := range uint64(shardCount) {
		i := (start + k) % shardCount
		first := b.first[i]
		if first < 0 {
			continue
		}
		s := &d.shards[i]
		s.mu.Lock()
		s.advance(now)
		s.store.Prefetch(b.prepared, first)
		u.shard = s
		b.countList(&u, events, first)
		added += len(b.added)
		calls += b.calls
		d.journal.record(s, &d.limiter, events, b.added, now)
		s.mu.Unlock()
	}
	return Result{Alerts: u.inOrder(), Repeats: len(events) - added, Calls: calls}
}

// mostAlerts returns how many alerts a batch may open: an event makes at most two buckets
// alert, but an intervention lets any number of events count.
func (d *Detector) mostAlerts(events []Event) int {
	if d.rule.AfterIntervention > 0 {
		for i := range events {
			if events[i].Intervened {
				return math.MaxInt
			}
		}
	}
	return 2 * len(events)
}

// observeInOrder counts a batch event by event, where Observe does it shard by shard.
func (d *Detector) observeInOrder(events []Event, now time.Time) (all Result) {
	for i := range events {
		result := d.Observe(events[i:i+1], now)
		all.Alerts = append(all.Alerts, result.Alerts...)
		all.Repeats += result.Repeats
		all.Calls += result.Calls
	}
	return all
}

// Tick does what the passing of time alone brings about, and returns the alerts to be
// emitted: it closes alerts that nothing has changed for the keep-alive, reports corrections
// and overflows, and forgets. It is to be called every second or so.
func (d *Detector) Tick(now time.Time) []Alert {
	var emitted []Alert
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		emitted = s.runTimers(now, emitted)
		s.advance(now)
		d.journal.record(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	return append(emitted, d.overflow(now, false)...)
}

// HasTimers reports whether the passing of time alone will change something: alerts are to
// be closed or corrected, an overflow is due later, or the limit is in use.
func (d *Detector) HasTimers(now time.Time) bool {
	if !d.limiter.idle(now) {
		return true
	}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		timers := len(s.timers) > s.droppedTimers
		s.mu.Unlock()
		if timers {
			return true
		}
	}
	return false
}

// Stats returns what the detector remembers.
func (d *Detector) Stats() Stats {
	stats := Stats{Limited: d.limiter.suppressedSoFar()}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		stats.Groups += s.store.Len()
		if s.held != nil {
			stats.Held += s.held.Len()
		}
		stats.Evicted += s.evicted
		stats.Bytes += s.bytes()
		s.mu.Unlock()
	}
	return stats
}

// shard returns the shard of a group's key, and the hash of the key.
func (d *Detector) shard(key string) (*shard, store.GroupHash) {
	hash := d.hasher.groupString(key)
	return &d.shards[shardOf(hash)], hash
}
