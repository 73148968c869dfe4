// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "hash/maphash"

// BucketID numbers the buckets of a store. 0 is none.
type BucketID uint32

// Bucket holds a group's events of one stretch of event time. It fills a cache line, with
// the event itself where there is only one.
type Bucket struct {
	single     [1]Event
	Index      int64 // start, in sizes since the Unix epoch
	group      GroupID
	prev, next BucketID // of the group's list
	block      uint32   // where the events' block begins, if there are several
	count      uint16   // of events; 0: the bucket is free
	Alerting   bool     // set by the caller, never reset
	Truncated  bool     // its oldest events were discarded
}

// Len returns the number of events in the bucket.
func (b *Bucket) Len() int { return int(b.count) }

type bucketKey struct {
	group GroupID
	index int64
}

func (s *Store) bucketTag(g GroupID, index int64) uint32 {
	return tagOf(maphash.Comparable(s.seed, bucketKey{g, index}))
}

// Find returns a group's bucket with an index, 0 if there is none.
func (s *Store) Find(g GroupID, index int64) BucketID {
	b, _ := s.find(g, index)
	return b
}

// find returns a group's bucket with an index. Where there is none, it returns 0 and the
// bucket after which it belongs in the list, 0 for the front.
func (s *Store) find(g GroupID, index int64) (found, later BucketID) {
	group := s.group(g)
	n := group.first
	for scanned := 0; n != 0; scanned++ {
		b := s.Bucket(n)
		if b.Index == index {
			return n, later
		}
		if scanned == maxScan && group.flags&groupIndexed == 0 {
			s.indexBuckets(group)
		}
		if group.flags&groupIndexed != 0 {
			return s.findIndexed(g, index), 0
		}
		if b.Index < index {
			break
		}
		later, n = n, b.next
	}
	return 0, later
}

func (s *Store) findIndexed(g GroupID, index int64) BucketID {
	for n := range s.bucketIndex.all(s.bucketTag(g, index)) {
		if b := s.buckets.at(n); b.group == g && b.Index == index {
			return BucketID(n)
		}
	}
	return 0
}

// indexBuckets puts a group's buckets into the bucket index, where they are found from then
// on.
func (s *Store) indexBuckets(group *group) {
	group.flags |= groupIndexed
	for n := group.first; n != 0; n = s.Bucket(n).next {
		b := s.Bucket(n)
		s.bucketIndex.add(s.bucketTag(b.group, b.Index), uint32(n))
	}
}

// Previous returns the bucket of the same group whose index is one lower, 0 if there is
// none.
func (s *Store) Previous(n BucketID) BucketID {
	b := s.Bucket(n)
	return s.neighbor(b, b.next, b.Index-1)
}

// Next returns the bucket of the same group whose index is one higher, 0 if there is none.
func (s *Store) Next(n BucketID) BucketID {
	b := s.Bucket(n)
	return s.neighbor(b, b.prev, b.Index+1)
}

// neighbor returns the bucket with an index next to b's: the likely one, where it is in a
// list that is sorted, or else what the bucket index knows.
func (s *Store) neighbor(b *Bucket, likely BucketID, index int64) BucketID {
	if likely != 0 && s.Bucket(likely).Index == index {
		return likely
	}
	if group := s.group(b.group); group.flags&groupIndexed != 0 && index <= group.newest {
		return s.findIndexed(b.group, index)
	}
	return 0
}

// addBucket makes a bucket and puts it into its group's list after another, 0 for the
// front. It has no events yet, and must get some.
func (s *Store) addBucket(g GroupID, group *group, index int64, later BucketID) BucketID {
	n := BucketID(s.buckets.take(uint8(s.generation)))
	link := &group.first
	if later != 0 {
		link = &s.Bucket(later).next
	}
	b := s.Bucket(n)
	b.Index, b.group, b.prev, b.next = index, g, later, *link
	if b.next != 0 {
		s.Bucket(b.next).prev = n
	}
	if group.first == 0 || index > group.newest {
		group.newest = index
	}
	*link = n
	switch {
	case group.flags&groupIndexed != 0:
		s.bucketIndex.add(s.bucketTag(g, index), uint32(n))
	case group.buckets == maxUnindexed:
		s.indexBuckets(group)
	default:
		group.buckets++
	}
	return n
}

func (s *Store) dropBucket(n BucketID) {
	b := s.Bucket(n)
	group := s.group(b.group)
	if b.next != 0 {
		s.Bucket(b.next).prev = b.prev
	}
	if b.prev != 0 {
		s.Bucket(b.prev).next = b.next
	} else {
		group.first = b.next
	}
	if group.flags&groupIndexed != 0 {
		s.bucketIndex.remove(s.bucketTag(b.group, b.Index), uint32(n))
	} else {
		group.buckets--
	}
	group.events -= uint32(b.count)
	if b.count > 1 {
		s.resize(n, b, s.eventsOf(n, b), 0)
	}
	s.buckets.put(uint32(n), b)
}

// EventsOf returns a bucket's events, sorted. They are valid until the store changes.
func (s *Store) EventsOf(n BucketID) []Event { return s.eventsOf(n, s.Bucket(n)) }

func (s *Store) eventsOf(n BucketID, b *Bucket) []Event {
	if b.count <= 1 {
		return b.single[:b.count]
	}
	return s.blocks.block(n, blockClass(int(b.count)), b.block)[:b.count]
}

// add puts an event in its place among a bucket's. It reports false for a repeat.
func (s *Store) add(group *group, n BucketID, b *Bucket, e *Event) bool {
	if b.count == 0 {
		b.single[0], b.count = *e, 1
		group.events++
		return true
	}
	events := s.eventsOf(n, b)
	at := len(events)
	if events[at-1].Time >= e.Time { // else it is the newest, as usual
		var found bool
		if at, found = search(events, e); found {
			return false
		}
	}
	if begin := s.beginning(); b.Truncated && at <= begin && begin < len(events) {
		if at < begin {
			events[0] = *e // a session begins earlier
		}
		return true // counted, but it would be the next to be discarded
	}
	if len(events) < cap(events) {
		b.count++
		events = events[:b.count]
	} else {
		events = s.resize(n, b, events, len(events)+1)
	}
	if at < len(events)-1 {
		copy(events[at+1:], events[at:])
	}
	events[at] = *e
	group.events++
	if len(events) == 2*s.maxExact {
		s.truncate(n, s.maxExact)
	}
	return true
}

// resize lets a bucket hold count events: of those that it holds the first, and then any.
func (s *Store) resize(n BucketID, b *Bucket, old []Event, count int) (events []Event) {
	b.count = uint16(count)
	from, to, block := classFor(len(old)), classFor(count), b.block
	switch {
	case from == to && to <= pageClass:
		return old[:count]
	case from > pageClass && to > pageClass:
		return s.blocks.resize(n, count)[:count]
	case to == 0:
		events = b.single[:count]
	default:
		events, b.block = s.blocks.take(n, to)
		events = events[:count]
	}
	copy(events, old)
	if from > 0 {
		if moved := s.blocks.put(n, from, block); moved != 0 {
			s.Bucket(moved).block = block
		}
	}
	return events
}

// beginning returns how many of a bucket's first events are never discarded: that of a session,
// which says where it begins.
func (s *Store) beginning() int {
	if s.session {
		return 1
	}
	return 0
}

// MayRepeatDiscarded reports whether an event that was counted in a bucket may have been
// counted before and discarded since.
func (s *Store) MayRepeatDiscarded(n BucketID, e *Event) bool {
	b := s.Bucket(n)
	if !b.Truncated {
		return false
	}
	events, begin := s.eventsOf(n, b), s.beginning()
	return begin < len(events) && e.compare(&events[begin]) < 0
}

// truncate discards a bucket's oldest events except for its beginning. The newest stand in for
// them, so they are remembered for as long.
func (s *Store) truncate(n BucketID, keep int) {
	b := s.Bucket(n)
	events := s.EventsOf(n)
	discarded := events[:len(events)-keep]
	youngest := s.age(discarded[0].Generation)
	for i := range discarded {
		youngest = min(youngest, s.age(discarded[i].Generation))
	}
	begin := s.beginning()
	kept := begin + copy(events[begin:], events[len(discarded):])
	for i := range events[:kept] {
		if s.age(events[i].Generation) > youngest {
			events[i].Generation, events[i].Text = uint8(s.generation)-youngest, 0
		}
	}
	s.group(b.group).events -= uint32(len(events) - kept)
	s.resize(n, b, events, kept)
	b.Truncated = true
}

// Truncate discards the oldest events of a group's buckets that have more than twice as
// many as are to be kept, and reports whether there were any. A bucket that keeps more than
// the threshold alerts as before, and so do its neighbors; only counts become lower bounds.
func (s *Store) Truncate(g GroupID, keep int) (truncated bool) {
	for n := range s.Buckets(g) {
		if int(s.Bucket(n).count) > 2*keep {
			s.truncate(n, keep)
			truncated = true
		}
	}
	return truncated
}

// PresumeDiscarded notes that each bucket with as many events as are kept of a flood may have
// discarded others: in an earlier run, whose events were inserted again.
func (s *Store) PresumeDiscarded() {
	for n := uint32(1); n < s.buckets.next; n++ {
		if b := s.buckets.at(n); int(b.count) >= s.maxExact {
			b.Truncated = true
		}
	}
}
