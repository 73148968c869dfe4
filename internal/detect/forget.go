// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "time"

// Generations is how many spans of arrival an event's memory is cut into. The
// oldest is dropped whole, so that an event is remembered for between
// Generations-1 and Generations of them.
const Generations = 5

// textSlots is over [Generations] and divides 256, modulo which an event knows its
// generation.
const textSlots = 8

// turn moves on to the generation that now belongs to and forgets what arrived
// too many of them ago. Time that runs backwards changes nothing.
func (s *shard) turn(now time.Time) {
	if now.Before(s.ends) { // as mostly
		return
	}
	if s.started.IsZero() {
		s.started = now.Add(-s.lead)
	}
	present := s.rule.generationOf(int64(now.Sub(s.started)))
	s.ends = s.started.Add(time.Duration(int64(present+1) * s.rule.generationLength()))
	if present <= s.generation {
		return
	}
	// One by one: an event's generation is known modulo 256, so none may be left
	// when it comes round.
	for steps := 0; s.generation < present; steps++ {
		if steps == Generations {
			s.generation, s.texts = present, [textSlots]texts{} // all that ages is gone
			return
		}
		s.generation++
		s.texts[s.generation%textSlots] = nil // whoever could refer to one is forgotten
		if s.generation >= Generations {
			s.forget(now)
		}
	}
}

// generationOf gives the generation of what arrives at a running time, in nanoseconds.
func (r *Rule) generationOf(running int64) uint32 {
	return uint32(max(0, running) / r.generationLength())
}

// generationLength is in nanoseconds.
func (r *Rule) generationLength() int64 { return int64(r.Size+r.Retention)/(Generations-1) + 1 }

// forget drops what arrived [Generations] ago, groups of which nothing is left, and
// alerts that nothing can belong to any more.
func (s *shard) forget(now time.Time) {
	for key, generation := range s.observed {
		if generation <= s.generation-Generations {
			delete(s.observed, key)
		}
	}
	tooOld := uint8(s.generation - Generations)
	for list := range s.loose.of(tooOld) {
		s.forgetLoose(list)
	}
	for list := range s.buckets.of(tooOld) {
		s.forgetBuckets(list)
	}
	for g := range s.alerts {
		s.forgetAlerts(g, now)
	}
	s.shrinkMaps()
}

// forgetBuckets drops what is too old of a list of buckets, some of which may be free.
func (s *shard) forgetBuckets(list []uint32) {
	if s.many() { // so that none waits for the memory of the one before
		var ahead int64
		for _, n := range list {
			ahead += s.groups.at(s.buckets.at(n).group).newest
		}
		s.ahead += ahead
	}
	for _, n := range list {
		if n >= s.buckets.next {
			return // none is left at all
		}
		b := s.buckets.at(n)
		if b.count == 0 {
			continue
		}
		s.forgetEvents(n, b, s.groups.at(b.group))
	}
}

// forgetEvents drops a bucket's events that are too old.
func (s *shard) forgetEvents(n uint32, b *bucket, group *group) {
	g := b.group
	events := s.eventsOf(n, b)
	kept, oldest, present := 0, uint8(0), uint8(s.generation)
	for i := range events {
		age := present - events[i].generation
		switch {
		case age < Generations:
			oldest = max(oldest, age)
			if kept < i {
				events[kept] = events[i]
			}
			kept++
		case group.flags&groupAlerts != 0:
			s.missed(g, events[i].time)
		}
	}
	if kept == 0 {
		s.dropBucket(n)
		s.dropIfEmpty(g)
		return
	}
	group.events -= uint32(len(events) - kept)
	s.buckets.oldest[n] = present - oldest
	s.resize(n, b, events, kept)
}

// dropIfEmpty forgets a group of which nothing is left.
func (s *shard) dropIfEmpty(g uint32) {
	if group := s.groups.at(g); group.first == 0 && group.flags&groupAlerts == 0 {
		s.dropGroup(g)
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
	s.wide.shrink()
	s.evicted++
	return told
}

// dropGroup forgets a group with all that it has.
func (s *shard) dropGroup(g uint32) {
	group := s.groups.at(g)
	for n, l := range s.looseOf(group) {
		s.loose.put(n, l)
	}
	for group.first != 0 {
		s.dropBucket(group.first)
	}
	if group.flags&groupAlerts != 0 {
		for _, a := range s.alerts[g] {
			s.letGo(a)
		}
		delete(s.alerts, g)
	}
	s.index.remove(group.hash.tag(), g)
	s.groups.put(g, group)
}
