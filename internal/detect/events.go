// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "sort"

// event is a counted invocation as it is remembered.
type event struct {
	time int64
	id   eventID
	text uint32 // where the request id lies when it is not the id, see texts

	profile    uint16
	generation uint8 // in which it arrived, modulo 256
	flags      eventFlags
}

type eventFlags uint8

const (
	eventPresumed eventFlags = 1 << iota
	eventUUID                // id holds the request id itself
)

// exactCount is up to how many events of a bucket are counted exactly. A bucket
// over it alerts already, and may let its oldest go: a window that reaches into
// it from the next one holds all its newer events before any older.
const exactCount = 4096

// events gives a bucket's events, in order.
func (s *shard) events(n uint32) []event { return s.eventsOf(n, s.buckets.at(n)) }

func (s *shard) eventsOf(n uint32, b *bucket) []event {
	if b.count <= 1 {
		return b.only[:b.count]
	}
	return s.runs.block(n, blockClass(int(b.count)), b.place)[:b.count]
}

// insert puts an event in its place among a bucket's. It reports false for a repeat.
func (s *shard) insert(group *group, n uint32, b *bucket, e event) bool {
	events := s.eventsOf(n, b)
	at := len(events)
	if events[at-1].time >= e.time { // else it is the newest, as mostly
		var known bool
		if at, known = place(events, e); known {
			return false
		}
	}
	if at == 0 && b.flags&bucketCut != 0 && s.rule.Window != Session {
		return true // counted, but the next to be let go
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
	events[at] = e
	group.events++
	if limit := max(exactCount, s.rule.Threshold+1); len(events) == 2*limit {
		s.cut(n, limit, s.rule.Window == Session)
	}
	return true
}

// place gives where an event belongs among others, and whether it is there.
func place(events []event, e event) (at int, known bool) {
	at = sort.Search(len(events), func(i int) bool { return events[i].compare(e) >= 0 })
	return at, at < len(events) && events[at].compare(e) == 0
}

// resize lets a bucket hold so many events: the first of those that it holds, and
// behind them any.
func (s *shard) resize(n uint32, b *bucket, old []event, count int) (events []event) {
	b.count = uint16(count)
	from, to, place := classFor(len(old)), classFor(count), b.place
	switch {
	case from == to && to <= pageClass:
		return old[:count]
	case from > pageClass && to > pageClass:
		return s.runs.fit(n, count)[:count]
	case to == 0:
		events = b.only[:count]
	default:
		events, b.place = s.runs.take(n, to)
		events = events[:count]
	}
	copy(events, old)
	if from > 0 {
		if moved := s.runs.put(n, from, place); moved != 0 {
			s.buckets.at(moved).place = place
		}
	}
	return events
}

// cut lets the oldest events go, but for a session's first, which says where it
// begins. The newest stand in for them, so they are remembered for as long.
func (s *shard) cut(n uint32, keep int, first bool) {
	b := s.buckets.at(n)
	events := s.events(n)
	gone := events[:len(events)-keep]
	newest := s.age(gone[0].generation)
	for i := range gone {
		newest = min(newest, s.age(gone[i].generation))
	}
	start := 0
	if first {
		start = 1
	}
	kept := start + copy(events[start:], events[len(gone):])
	for i := range events[:kept] {
		if s.age(events[i].generation) > newest {
			events[i].generation, events[i].text = uint8(s.generation)-newest, 0
		}
	}
	s.groups.at(b.group).events -= uint32(len(events) - kept)
	s.resize(n, b, events, kept)
	b.flags |= bucketCut
}

// trim lets the oldest events go of a group's buckets that have many more than
// alert, and reports whether there were any. What is left of a bucket tells, as
// before, what else alerts, and the evidence: it is only counts that suffer.
func (s *shard) trim(g uint32) (trimmed bool) {
	keep := max(maxEvidence, s.rule.Threshold+1)
	for n := s.groups.at(g).first; n != 0; n = s.buckets.at(n).next {
		if int(s.buckets.at(n).count) > 2*keep {
			s.cut(n, keep, s.rule.Window == Session)
			trimmed = true
		}
	}
	return trimmed
}

// age tells how many generations ago an event arrived.
func (s *shard) age(generation uint8) uint8 { return uint8(s.generation) - generation }

// upTo gives how many of the events are not later than t.
func upTo(events []event, t int64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].time > t })
}

// notBefore gives how many of the events are earlier than t.
func notBefore(events []event, t int64) int {
	n := upTo(events, t)
	for n > 0 && events[n-1].time == t {
		n--
	}
	return n
}
