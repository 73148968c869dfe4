// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sync"
	"time"
)

// Generations is how many spans of arrival an event's memory is cut into. The
// oldest is dropped whole, so that an event is remembered for between
// Generations-1 and Generations of them.
const Generations = 5

// shard holds some of the groups. Its lock guards all that is in it.
type shard struct {
	mu sync.Mutex

	rule   *Rule
	hasher *hasher

	index   map[groupHash]uint32
	groups  slab[group]
	buckets slab[bucket]
	byIndex map[bucketKey]uint32 // of groups that are wide
	runs    runs

	profiles profiles
	texts    [Generations + 1]texts // by the generation in which they arrived
	observed map[observedKey]uint32 // IDs that tell repeats by themselves, with their generation

	alerts     map[uint32][]*openAlert // by group, in order of time
	unsettled  []*openAlert            // that the timer has something to do with
	alertBytes int64

	journal *Journal     // nil: nothing is kept over a restart
	unsaved []*openAlert // to be entered there
	replay  *Replay      // while the shard is told what was

	started    time.Time // when the running time of this shard began
	generation uint32    // the present one
	evicted    int
	peak       mapSizes
}

type observedKey struct {
	group groupHash
	id    eventID
}

// turn moves on to the generation that now belongs to and forgets what arrived
// too many of them ago. Time that runs backwards changes nothing.
func (s *shard) turn(now time.Time) {
	if s.started.IsZero() {
		s.started = now
	}
	present := s.rule.generationOf(int64(now.Sub(s.started)))
	if present <= s.generation {
		return
	}
	// Whoever could refer to a text of these slots is forgotten below.
	for past := s.generation + 1; past <= present && past <= s.generation+uint32(len(s.texts)); past++ {
		s.texts[past%uint32(len(s.texts))] = nil
	}
	s.generation = present
	if present >= Generations {
		s.forget(present-Generations, now)
	}
}

// generationOf gives the generation of what arrives at a running time, in nanoseconds.
func (r *Rule) generationOf(running int64) uint32 {
	length := int64(r.Size+r.Retention)/(Generations-1) + 1
	return uint32(max(0, running) / length)
}

// count takes in one event. It appends what is to be told and reports a repeat.
func (s *shard) count(limiter *limiter, e *Event, hash groupHash, now time.Time, told []Alert) ([]Alert, bool) {
	told = s.makeRoom(hash, told)
	id, flags := s.hasher.id(e.ID)
	if e.Presumed {
		flags |= eventPresumed
	}
	if e.IDOnly && s.seen(observedKey{hash, id}) {
		return told, true
	}
	ev := event{
		time:       e.Time,
		id:         id,
		generation: s.generation,
		profile:    s.profiles.number(e.Model, e.Operation, e.Region),
		flags:      flags,
	}
	g, n, counted := s.add(hash, &ev, e.RequestID)
	if !counted {
		return told, true
	}
	c := change{shard: s, limiter: limiter, group: g, key: e.Key, now: now, told: told}
	if s.groups.at(g).flags&groupAlerts != 0 {
		c.counted(n, &ev)
	}
	c.detect(n, e.Time)
	return c.told, false
}

// add puts an event into its bucket. It reports false for a repeat.
func (s *shard) add(hash groupHash, ev *event, requestID string) (g, n uint32, counted bool) {
	g = s.groupOf(hash)
	n = s.bucketOf(g, floorDiv(ev.time, int64(s.rule.Size)))
	if ev.flags&eventUUID == 0 && s.hasTextRoom() {
		ev.text = s.texts[s.generation%uint32(len(s.texts))].add(requestID)
	}
	return g, n, s.insert(s.rule, n, ev)
}

// groupOf gives the group of a hash, a new one if there is none.
func (s *shard) groupOf(hash groupHash) uint32 {
	g, ok := s.index[hash]
	if !ok {
		g = s.groups.take()
		*s.groups.at(g) = group{hash: hash, flags: groupLive}
		s.index[hash] = g
	}
	return g
}

// detect looks whether an event at t, in bucket n, makes a bucket alert.
func (c *change) detect(n uint32, t int64) {
	s, rule := c.shard, c.rule
	switch rule.Window {
	case Sliding:
		// Windows that end at the event or less than a size behind it hold one
		// more than before: those of this bucket and of the next.
		for _, n := range [...]uint32{n, s.buckets.at(n).after} {
			if n == 0 || s.buckets.at(n).flags&bucketAlerts != 0 {
				continue
			}
			if from, end, crossed := s.sliding(rule, n, t); crossed {
				c.alert(n, n, from, end)
			}
		}
	case Tumbling:
		if b := s.buckets.at(n); b.flags&bucketAlerts == 0 && int(b.count) > rule.Threshold {
			events := s.events(n)
			c.alert(n, n, events[0].time, events[len(events)-1].time)
		}
	case Session:
		if run := s.sessionAt(rule, n); run.alerts || run.count > rule.Threshold {
			first, last := s.events(run.first), s.events(run.last)
			c.alert(run.first, run.last, first[0].time, last[len(last)-1].time)
		}
	}
}

// seen reports whether the ID was, and otherwise remembers it.
func (s *shard) seen(key observedKey) bool {
	if _, ok := s.observed[key]; ok {
		return true
	}
	if s.observed == nil {
		s.observed = map[observedKey]uint32{}
	}
	s.observed[key] = s.generation
	return false
}

// forget drops what arrived up to a generation, groups of which nothing is left,
// and alerts that nothing can belong to any more.
func (s *shard) forget(upTo uint32, now time.Time) {
	for key, generation := range s.observed {
		if generation <= upTo {
			delete(s.observed, key)
		}
	}
	for g := uint32(1); g < s.groups.next; g++ {
		group := s.groups.at(g)
		if group.flags&groupLive == 0 {
			continue
		}
		link := &group.first
		for n := *link; n != 0; n = *link {
			s.forgetEvents(n, upTo)
			b := s.buckets.at(n)
			if b.count > 0 {
				link = &b.sibling
				continue
			}
			*link = b.sibling
			s.dropBucket(n)
		}
		if group.flags&groupAlerts != 0 {
			s.forgetAlerts(g, now)
		}
		if group.first == 0 && group.flags&groupAlerts == 0 {
			s.dropGroup(g)
		}
	}
	s.shrinkMaps()
}

func (s *shard) forgetEvents(n uint32, upTo uint32) {
	b := s.buckets.at(n)
	events := s.events(n)
	kept := 0
	for i := range events {
		if events[i].generation > upTo {
			events[kept] = events[i]
			kept++
		} else if s.groups.at(b.group).flags&groupAlerts != 0 {
			s.missed(b.group, events[i].time)
		}
	}
	if kept == len(events) {
		return
	}
	s.groups.at(b.group).events -= uint32(len(events) - kept)
	if kept == 0 {
		s.putBlock(n)
		b.count = 0
		return
	}
	b.count = uint16(kept)
	if class := classFor(kept); class < b.class {
		s.move(n, class)
	}
}

// missed notes that alerts which have not reached an event yet never will count it.
func (s *shard) missed(g uint32, t int64) {
	for _, a := range s.alerts[g] {
		if !a.closed && (t < a.from || a.to < t) {
			a.lossy = true
			s.save(a)
		}
	}
}

// evict forgets a group for want of memory. Its open alerts are told to be closed.
func (s *shard) evict(g uint32, told []Alert) []Alert {
	for _, a := range s.alerts[g] {
		if !a.closed && !a.muted {
			told = append(told, s.record(g, a, Closed))
		}
	}
	s.dropGroup(g)
	s.evicted++
	return told
}

// dropGroup forgets a group with all that it has.
func (s *shard) dropGroup(g uint32) {
	group := s.groups.at(g)
	for n := group.first; n != 0; {
		next := s.buckets.at(n).sibling
		s.dropBucket(n)
		n = next
	}
	for _, a := range s.alerts[g] {
		a.dropped = true
		s.save(a)
		s.alertBytes -= a.bytes()
	}
	delete(s.alerts, g)
	delete(s.index, group.hash)
	s.groups.put(g)
}
