// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

// Generations is how many spans of arrival the memory of an event is divided into. The
// oldest is dropped whole, so an event is remembered for between Generations-1 and
// Generations of them.
const Generations = 5

// Advance moves on to a later generation, and forgets what arrived [Generations] before it
// and groups of which nothing is left. forgotten is called for the time of each event that
// a pinned group loses.
//
// An event knows its generation modulo 256: none may be left when that number comes round.
// So generations are advanced one by one, or by more once all events are forgotten.
func (s *Store) Advance(generation uint32, forgotten func(g GroupID, t int64)) {
	s.generation = generation
	if generation < Generations {
		return
	}
	tooOld := uint8(generation - Generations)
	for some := range s.sparse.of(tooOld) {
		s.expireSparse(some)
	}
	for some := range s.buckets.of(tooOld) {
		s.expireBuckets(some, forgotten)
	}
	s.index.shrink()
	s.bucketIndex.shrink()
	s.sparse.shrink()
	s.buckets.shrink()
}

// expireSparse drops sparse events that are too old, some of which may be free.
func (s *Store) expireSparse(some []uint32) {
	if s.worthPrefetching() { // so that none waits for the memory of the one before
		for _, n := range some {
			s.prefetched += s.group(s.sparse.at(n).group).newest
		}
	}
	for _, n := range some {
		if n >= s.sparse.next {
			return // none is left at all
		}
		e := s.sparse.at(n)
		g := e.group
		if g == 0 {
			continue
		}
		s.sparse.put(n, e)
		group := s.group(g)
		if group.events--; group.events == 0 { // what arrived first goes first: the list ends earlier
			s.dropGroup(g)
		}
	}
}

// expireBuckets drops what is too old of buckets, some of which may be free.
func (s *Store) expireBuckets(some []uint32, forgotten func(g GroupID, t int64)) {
	if s.worthPrefetching() {
		for _, n := range some {
			s.prefetched += s.group(s.buckets.at(n).group).newest
		}
	}
	for _, n := range some {
		if n >= s.buckets.next {
			return // none is left at all
		}
		if b := s.buckets.at(n); b.count > 0 {
			s.expireBucket(BucketID(n), b, forgotten)
		}
	}
}

func (s *Store) expireBucket(n BucketID, b *Bucket, forgotten func(g GroupID, t int64)) {
	g, group := b.group, s.group(b.group)
	pinned := group.flags&groupPinned != 0
	events := s.eventsOf(n, b)
	kept, oldest := 0, uint8(0)
	for i := range events {
		age := s.age(events[i].Generation)
		switch {
		case age < Generations:
			oldest = max(oldest, age)
			if kept < i {
				events[kept] = events[i]
			}
			kept++
		case pinned:
			forgotten(g, events[i].Time)
		}
	}
	if kept == 0 {
		s.dropBucket(n)
		s.dropIfEmpty(g)
		return
	}
	group.events -= uint32(len(events) - kept)
	s.buckets.oldest[n] = uint8(s.generation) - oldest
	s.resize(n, b, events, kept)
}
