// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "sort"

// group is what events are counted by.
type group struct {
	hash    uint64 // half of it: the shard is known by the other
	newest  int64  // no bucket has a higher index
	first   uint32 // the bucket made last; the others follow by bucket.sibling
	events  uint32
	oldest  uint32 // no event is of an earlier generation
	buckets uint8  // as long as it is not wide
	flags   groupFlags
}

type groupFlags uint8

const (
	groupLive   groupFlags = 1 << iota // not free
	groupWide                          // its buckets are in shard.wide
	groupAlerts                        // has alerts
)

// bucket holds a group's events of one stretch of event time, as a sorted set.
type bucket struct {
	index         int64 // start, in window sizes since the Unix epoch
	group         uint32
	sibling       uint32 // the group's bucket made before
	before, after uint32 // the group's buckets at index-1 and index+1
	block         uint32 // where the events lie
	oldest        uint32 // no event is of an earlier generation
	count         uint16
	class         uint8 // of the block
	flags         bucketFlags
}

type bucketFlags uint8

const (
	bucketAlerts bucketFlags = 1 << iota // never turns off
	bucketCut                            // its oldest events were let go
)

type bucketKey struct {
	group uint32
	index int64
}

// exactCount is up to how many events of a bucket are counted exactly. A bucket
// over it alerts already, and may let its oldest go: a window that reaches into
// it from the next one holds all its newer events before any older.
const exactCount = 4096

// findGroup gives the group with a hash, 0 if there is none.
func (s *shard) findGroup(hash groupHash) uint32 {
	return s.index.find(tagOf(hash[1]), func(g uint32) bool { return s.groups.at(g).hash == hash[1] })
}

func (s *shard) addGroup(hash groupHash) uint32 {
	g := s.groups.take()
	*s.groups.at(g) = group{hash: hash[1], oldest: s.generation, flags: groupLive}
	s.index.add(tagOf(hash[1]), g)
	return g
}

func (s *shard) events(n uint32) []event {
	b := s.buckets.at(n)
	if b.count == 0 {
		return nil
	}
	return s.runs.block(n, b.class, b.block)[:b.count]
}

// A group's buckets are looked through, the latest made first, up to narrow of them:
// where time goes on, the one that is looked for is among those. When that was not
// enough once, or there are very many, they are found by a table from then on.
const (
	narrow = 8
	broad  = 128
)

// find gives a group's bucket, 0 if there is none.
func (s *shard) find(g uint32, index int64) uint32 {
	group := s.groups.at(g)
	n := group.first
	for looked := 0; n != 0 && s.buckets.at(n).index != index; n = s.buckets.at(n).sibling {
		if looked++; looked == narrow && group.flags&groupWide == 0 {
			s.makeWide(group)
		}
		if group.flags&groupWide != 0 {
			return s.wide.find(s.bucketTag(g, index), func(n uint32) bool {
				b := s.buckets.at(n)
				return b.group == g && b.index == index
			})
		}
	}
	return n
}

// makeWide enters a group's buckets into the table.
func (s *shard) makeWide(group *group) {
	group.flags |= groupWide
	for n := group.first; n != 0; n = s.buckets.at(n).sibling {
		b := s.buckets.at(n)
		s.wide.add(s.bucketTag(b.group, b.index), n)
	}
}

// bucketOf gives a group's bucket, a new one if there is none.
func (s *shard) bucketOf(g uint32, index int64) uint32 {
	if group := s.groups.at(g); group.first != 0 && index <= group.newest {
		if n := s.find(g, index); n != 0 {
			return n
		}
	}
	return s.addBucket(g, index)
}

func (s *shard) addBucket(g uint32, index int64) uint32 {
	group := s.groups.at(g)
	var before, after uint32
	if group.first != 0 && index-1 <= group.newest { // mostly it is not: time goes on
		before = s.find(g, index-1)
	}
	if group.first != 0 && index+1 <= group.newest {
		after = s.find(g, index+1)
	}
	n := s.buckets.take()
	*s.buckets.at(n) = bucket{
		index: index, group: g, sibling: group.first, before: before, after: after, oldest: s.generation,
	}
	if before != 0 {
		s.buckets.at(before).after = n
	}
	if after != 0 {
		s.buckets.at(after).before = n
	}
	if group.first == 0 || index > group.newest {
		group.newest = index
	}
	group.first = n
	switch {
	case group.flags&groupWide != 0:
		s.wide.add(s.bucketTag(g, index), n)
	case group.buckets == broad:
		s.makeWide(group)
	default:
		group.buckets++
	}
	return group.first
}

func (s *shard) bucketTag(g uint32, index int64) uint32 {
	return tagOf(s.hasher.bucket(bucketKey{g, index}))
}

// dropBucket forgets a bucket. The caller takes it out of its group's list.
func (s *shard) dropBucket(n uint32) {
	b := s.buckets.at(n)
	group := s.groups.at(b.group)
	if b.before != 0 {
		s.buckets.at(b.before).after = 0
	}
	if b.after != 0 {
		s.buckets.at(b.after).before = 0
	}
	if group.flags&groupWide != 0 {
		s.wide.remove(s.bucketTag(b.group, b.index), n)
	} else {
		group.buckets--
	}
	if b.count > 0 {
		group.events -= uint32(b.count)
		s.putBlock(n)
	}
	s.buckets.put(n)
}

// putBlock gives back a bucket's block.
func (s *shard) putBlock(n uint32) {
	b := s.buckets.at(n)
	at := b.block
	if moved := s.runs.put(n, b.class, at); moved != 0 {
		s.buckets.at(moved).block = at
	}
}

// insert puts an event in its place among a bucket's. It reports false for a repeat.
func (s *shard) insert(rule *Rule, n uint32, e *event) bool {
	b := s.buckets.at(n)
	events := s.events(n)
	at := len(events)
	if at > 0 && events[at-1].compare(e) >= 0 { // else it is the newest, as mostly
		at = sort.Search(len(events), func(i int) bool { return events[i].compare(e) >= 0 })
		if events[at].compare(e) == 0 {
			return false
		}
	}
	if at == 0 && b.flags&bucketCut != 0 && rule.Window != Session {
		return true // counted, but the next to be let go
	}
	if class := classFor(len(events) + 1); len(events) == 0 || class > b.class {
		s.move(n, class)
	}
	b.count++
	events = s.events(n)
	copy(events[at+1:], events[at:])
	events[at] = *e
	group := s.groups.at(b.group)
	group.events++
	group.oldest, b.oldest = min(group.oldest, e.generation), min(b.oldest, e.generation)
	if limit := max(exactCount, rule.Threshold+1); len(events) == 2*limit {
		s.cut(n, limit, rule.Window == Session)
	}
	return true
}

// move puts a bucket's events into a block of another class.
func (s *shard) move(n uint32, class uint8) {
	b := s.buckets.at(n)
	if b.count > 0 && b.class > pageClass && class > pageClass { // both are found by their owner
		old := s.events(n)
		s.runs.put(n, b.class, 0)
		s.runs.take(n, class)
		copy(s.runs.big[n], old)
		b.class = class
		return
	}
	block := s.runs.take(n, class)
	if b.count > 0 {
		copy(s.runs.block(n, class, block), s.events(n))
		s.putBlock(n)
	}
	b.class, b.block = class, block
}

// cut lets the oldest events go, but for a session's first, which says where it
// begins. The newest stand in for them, so they are remembered for as long.
func (s *shard) cut(n uint32, keep int, first bool) {
	b := s.buckets.at(n)
	events := s.events(n)
	gone := events[:len(events)-keep]
	var newest uint32
	for i := range gone {
		newest = max(newest, gone[i].generation)
	}
	start := 0
	if first {
		start = 1
	}
	kept := start + copy(events[start:], events[len(gone):])
	for i := range events[:kept] {
		if events[i].generation < newest {
			events[i].generation, events[i].text = newest, 0
		}
	}
	s.groups.at(b.group).events -= uint32(len(events) - kept)
	b.count = uint16(kept)
	b.flags |= bucketCut
}

// trim lets the oldest events go of a group's buckets that have many more than
// alert, and reports whether there were any. What is left of a bucket tells, as
// before, what else alerts, and the evidence: it is only counts that suffer.
func (s *shard) trim(g uint32) (trimmed bool) {
	keep := max(maxEvidence, s.rule.Threshold+1)
	for n := s.groups.at(g).first; n != 0; n = s.buckets.at(n).sibling {
		if int(s.buckets.at(n).count) > 2*keep {
			s.cut(n, keep, s.rule.Window == Session)
			s.move(n, classFor(int(s.buckets.at(n).count)))
			trimmed = true
		}
	}
	return trimmed
}

// upTo gives how many of the events are not later than t.
func upTo(events []event, t int64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].time > t })
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
