// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"iter"
	"math"
	"slices"
)

const (
	// fewLoose is how many of a group's events lie loose within a size of each other,
	// unless the threshold is lower, and behind how many later ones another may be put.
	fewLoose = 16
	// mostLoose is how many lie loose in all. It bounds how many are sorted at once.
	mostLoose = 64
)

// loose is an event of a group no window of which can hold more than the threshold yet:
// it is in no bucket, and mostly it is forgotten before it needs one.
type loose struct {
	event
	group uint32 // 0: it is free
	older uint32 // the next of the group, which is not later, nor did it arrive later; of the last it is any
}

// few gives how many events of a group lie loose near each other, and what is between
// events that are not. A session goes on for as long as it likes, so all are near.
func (r *Rule) few() (few uint32, apart uint64) {
	if r.Window == Session || r.Threshold == 0 {
		return uint32(min(r.Threshold, fewLoose)), math.MaxUint64
	}
	return uint32(min(r.Threshold, fewLoose)), uint64(r.Size)
}

// looseFit tells whether an event may lie loose.
type looseFit uint8

const (
	fitsLoose  looseFit = iota
	knownLoose          // it is there already
	unfitLoose          // it and all others are to be in buckets
)

// isNext reports whether an event is the latest of a group that has few, or none near
// it, as it mostly is: it may lie loose, in front of the others.
func (s *shard) isNext(group *group, e *event) bool {
	if group.loose == 0 {
		return group.first == 0 && group.flags == groupLive && s.few > 0
	}
	return e.time > group.newest &&
		(group.events < s.few || group.events < mostLoose && distance(e.time, group.newest) >= s.apart)
}

// fitLoose looks whether any other event may lie loose, and behind which link of its
// group's.
func (s *shard) fitLoose(group *group, e *event) (link *uint32, fit looseFit) {
	events := group.looseEvents()
	if events == 0 || events == mostLoose {
		return nil, unfitLoose
	}
	link = &group.loose
	near, next := uint32(0), link // near it is whatever may be in a window with it
	for passed := range events {
		l := s.loose.at(*next)
		next = &l.older
		switch {
		case l.time > e.time:
			// It must not be behind what is forgotten later, nor be looked for too long.
			if link = next; l.generation != e.generation || passed == fewLoose {
				return nil, unfitLoose
			}
		case l.compare(*e) == 0:
			return nil, knownLoose
		}
		if distance(l.time, e.time) < s.apart {
			near++
		} else if l.time < e.time {
			break
		}
	}
	if near >= s.few {
		return nil, unfitLoose
	}
	return link, fitsLoose
}

// isLoose reports whether an event is among a group's loose ones.
func (s *shard) isLoose(group *group, e *event) bool {
	for _, l := range s.looseOf(group) {
		if l.compare(*e) == 0 {
			return true
		}
	}
	return false
}

// distance is between two times, however far apart.
func distance(a, b int64) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}

// addLoose puts an event behind a link of a group's.
func (s *shard) addLoose(g uint32, group *group, link *uint32, e *event) {
	if group.loose == 0 || e.time > group.newest {
		group.newest = e.time
	}
	n := s.loose.take(e.generation)
	l := s.loose.at(n)
	l.event, l.group, l.older = *e, g, *link
	*link = n
	group.events++
}

// looseEvents is how many events a group's list has, of which older ones may be
// forgotten already.
func (g *group) looseEvents() uint32 {
	if g.loose == 0 {
		return 0
	}
	return g.events
}

// looseOf gives a group's loose events with their numbers, the latest first. They may be
// given back meanwhile.
func (s *shard) looseOf(group *group) iter.Seq2[uint32, *loose] {
	return func(yield func(uint32, *loose) bool) {
		n := group.loose
		for range group.looseEvents() {
			l := s.loose.at(n)
			older := l.older
			if !yield(n, l) {
				return
			}
			n = older
		}
	}
}

// latestLoose is how many of a group's loose events are within a size of the latest.
func (s *shard) latestLoose(group *group) (count uint32) {
	for _, l := range s.looseOf(group) {
		if distance(group.newest, l.time) >= uint64(s.rule.Size) {
			break
		}
		count++
	}
	return count
}

// sortLoose puts a group's loose events, if it has any, into buckets. None of these
// alerts.
func (s *shard) sortLoose(g uint32, group *group) {
	if group.loose == 0 {
		return
	}
	var array [mostLoose]uint32
	list := s.earliestFirst(group, array[:0]) // so that each bucket is the latest when it is made
	group.loose = 0
	for len(list) > 0 {
		index, count := s.firstWindow(list)
		s.fillBucket(s.addBucket(g, group, index, 0), list[:count])
		list = list[count:]
	}
}

// earliestFirst adds a group's loose events to a list.
func (s *shard) earliestFirst(group *group, list []uint32) []uint32 {
	for n := range s.looseOf(group) {
		list = append(list, n)
	}
	slices.Reverse(list)
	return list
}

// firstWindow gives the window of the first of a list of loose events, and how many
// are in it.
func (s *shard) firstWindow(list []uint32) (index int64, count int) {
	for index = s.windowOf(list[0]); count < len(list) && s.windowOf(list[count]) == index; {
		count++
	}
	return index, count
}

// fillBucket puts loose events into a bucket that is new.
func (s *shard) fillBucket(in uint32, list []uint32) {
	b, oldest := s.buckets.at(in), uint8(0)
	events := s.resize(in, b, s.eventsOf(in, b), len(list))
	for i, n := range list {
		l := s.loose.at(n)
		events[i], oldest = l.event, max(oldest, s.age(l.generation))
		s.loose.put(n, l)
	}
	slices.SortFunc(events, func(a, b event) int { return a.compare(b) }) // those of one time are not sorted yet
	s.buckets.oldest[in] = uint8(s.generation) - oldest
}

func (s *shard) windowOf(n uint32) int64 { return floorDiv(s.loose.at(n).time, int64(s.rule.Size)) }

// spread tells how many buckets a group's loose events and one more take, and how many
// blocks of each class.
func (s *shard) spread(group *group, index int64) (buckets int, blocks [pageClass + 1]int) {
	var array [mostLoose]uint32
	joined := 0 // events of the bucket of the one more
	for list := s.earliestFirst(group, array[:0]); len(list) > 0; {
		in, count := s.firstWindow(list)
		if buckets++; in == index {
			joined = count
		}
		blocks[classFor(count)]++
		list = list[count:]
	}
	if joined == 0 {
		buckets++
	} else if class := classFor(joined + 1); class > classFor(joined) {
		blocks[class]++ // before the shorter one is free
	}
	return buckets, blocks
}

// forgetLoose drops loose events that are too old, some of which may be free.
func (s *shard) forgetLoose(list []uint32) {
	if s.many() { // so that none waits for the memory of the one before
		var ahead int64
		for _, n := range list {
			ahead += s.groups.at(s.loose.at(n).group).newest
		}
		s.ahead += ahead
	}
	for _, n := range list {
		if n >= s.loose.next {
			return // none is left at all
		}
		l := s.loose.at(n)
		g := l.group
		if g == 0 {
			continue
		}
		s.loose.put(n, l)
		group := s.groups.at(g)
		if group.events--; group.events == 0 { // it was the last in the list: what arrived first goes first
			s.dropGroup(g)
		}
	}
}
