// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"
	"slices"
)

// sparseEvent is an event of a sparse list. Usually it is forgotten before it needs a
// bucket.
type sparseEvent struct {
	Event
	group GroupID // 0: it is free
	older uint32  // next of the list, by time and by generation; undefined for the last: group.events bounds the list
}

// sparseLen returns how many events a group's sparse list has.
func (g *group) sparseLen() uint32 {
	if g.sparse == 0 {
		return 0
	}
	return g.events
}

// sparseList returns the events of a group's sparse list with their numbers, the latest
// first. They may be released meanwhile.
func (s *Store) sparseList(group *group) iter.Seq2[uint32, *sparseEvent] {
	return func(yield func(uint32, *sparseEvent) bool) {
		n := group.sparse
		for range group.sparseLen() {
			e := s.sparse.at(n)
			older := e.older
			if !yield(n, e) {
				return
			}
			n = older
		}
	}
}

// isNext reports whether an event is later than all others of a sparse list that have few
// events, or none near it: then it belongs at the front, unless it arrived before them.
func (s *Store) isNext(group *group, e *Event) bool {
	return e.Time > group.newest && e.Generation == uint8(s.generation) &&
		(group.events < s.maxNearby || group.events < maxSparse && distance(e.Time, group.newest) >= s.minGap)
}

// searchSparse returns whether any other event may be in a sparse list, and the link to the
// event after which it belongs.
func (s *Store) searchSparse(group *group, e *Event) (link *uint32, kind positionKind) {
	events := group.sparseLen()
	if events >= maxSparse {
		return nil, inBucketsWithOthers
	}
	link = &group.sparse
	nearby, next := uint32(0), link // whatever may be in a window with it
	for passed := range events {
		other := s.sparse.at(*next)
		next = &other.older
		switch {
		case other.Time > e.Time:
			// It must not come after what is forgotten later, nor be searched for too long.
			if link = next; other.Generation != e.Generation || passed == maxNearby {
				return nil, inBucketsWithOthers
			}
		case other.compare(e) == 0:
			return nil, knownInSparseList
		}
		if distance(other.Time, e.Time) < s.minGap {
			nearby++
		} else if other.Time < e.Time {
			break
		}
	}
	if nearby >= s.maxNearby || e.Generation != uint8(s.generation) {
		return nil, inBucketsWithOthers
	}
	return link, inSparseList
}

// inSparseList reports whether an event is in a group's sparse list.
func (s *Store) inSparseList(group *group, e *Event) bool {
	for _, other := range s.sparseList(group) {
		if other.Time < e.Time {
			return false
		}
		if other.compare(e) == 0 {
			return true
		}
	}
	return false
}

// addSparse puts an event into a sparse list, after the event that a link belongs to.
func (s *Store) addSparse(g GroupID, group *group, link *uint32, e *Event) {
	if group.sparse == 0 || e.Time > group.newest {
		group.newest = e.Time
	}
	n := s.sparse.take(e.Generation)
	added := s.sparse.at(n)
	added.Event, added.group, added.older = *e, g, *link
	*link = n
	group.events++
}

// nearLatest returns how many events of a sparse list are less than a size before the
// latest, itself included.
func (s *Store) nearLatest(group *group) (count uint32) {
	for _, e := range s.sparseList(group) {
		if distance(group.newest, e.Time) >= uint64(s.size) {
			break
		}
		count++
	}
	return count
}

// moveToBuckets moves the events of a group's sparse list, if it has one, into buckets, none
// of which alerts.
func (s *Store) moveToBuckets(g GroupID, group *group) {
	if group.sparse == 0 {
		return
	}
	var array [maxSparse]uint32
	events := s.earliestFirst(group, array[:0]) // so that each bucket is the latest when it is made
	group.sparse = 0
	for len(events) > 0 {
		index, count := s.firstBucket(events)
		s.fillBucket(s.addBucket(g, group, index, 0), events[:count])
		events = events[count:]
	}
}

// earliestFirst appends the numbers of a sparse list's events.
func (s *Store) earliestFirst(group *group, events []uint32) []uint32 {
	for n := range s.sparseList(group) {
		events = append(events, n)
	}
	slices.Reverse(events)
	return events
}

// firstBucket returns the bucket index of the first of some sparse events, and how many of
// them fall into it.
func (s *Store) firstBucket(events []uint32) (index int64, count int) {
	index = s.IndexOf(s.sparse.at(events[0]).Time)
	for count = 1; count < len(events) && s.IndexOf(s.sparse.at(events[count]).Time) == index; {
		count++
	}
	return index, count
}

// fillBucket moves sparse events into a new bucket.
func (s *Store) fillBucket(to BucketID, from []uint32) {
	b, oldest := s.Bucket(to), uint8(0)
	events := s.resize(to, b, s.eventsOf(to, b), len(from))
	for i, n := range from {
		e := s.sparse.at(n)
		events[i], oldest = e.Event, max(oldest, s.age(e.Generation))
		s.sparse.put(n, e)
	}
	slices.SortFunc(events, func(a, b Event) int { return a.compare(&b) }) // those of one time are not sorted yet
	s.buckets.oldest[to] = uint8(s.generation) - oldest
}
