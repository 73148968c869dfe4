// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// group is what events are counted by.
type group struct {
	hash    groupHash
	newest  int64  // no bucket has a higher index; loose: no event is later
	first   uint32 // of the buckets, the latest first; as they were made if it is wide
	loose   uint32 // the latest of its events, if they lie loose: then there are no buckets
	events  uint32
	buckets uint8 // as long as it is not wide
	flags   groupFlags
}

type groupFlags uint8

const (
	groupLive   groupFlags = 1 << iota // not free
	groupWide                          // its buckets are in shard.wide
	groupAlerts                        // has alerts
)

// bucket holds a group's events of one stretch of event time, as a sorted set. It
// fills a cache line, with the event itself where there is only one.
type bucket struct {
	only       [1]event
	index      int64 // start, in window sizes since the Unix epoch
	group      uint32
	prev, next uint32 // in the group's list
	place      uint32 // of the events' block, if there are several
	count      uint16 // 0: it is free
	flags      bucketFlags
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

// findGroup gives the group with a hash, 0 if there is none.
func (s *shard) findGroup(hash groupHash) uint32 {
	for g := range s.index.under(hash.tag()) {
		if s.groups.at(g).hash == hash {
			return g
		}
	}
	return 0
}

func (s *shard) addGroup(hash groupHash) uint32 {
	g := s.groups.take()
	*s.groups.at(g) = group{hash: hash, flags: groupLive}
	s.index.add(hash.tag(), g)
	return g
}

// A group's buckets are looked through, the latest first, up to narrow of them:
// where time goes on, the one that is looked for is the first. When that was not
// enough once, or there are very many, they are found by a table from then on.
const (
	narrow = 8
	broad  = 128
)

// find gives a group's bucket. Where there is none, it gives 0 and the bucket behind
// which it belongs in the list, 0 for the front.
func (s *shard) find(g uint32, index int64) (n, later uint32) {
	group := s.groups.at(g)
	n = group.first
	for looked := 0; n != 0; looked++ {
		b := s.buckets.at(n)
		if b.index == index {
			return n, later
		}
		if looked == narrow && group.flags&groupWide == 0 {
			s.makeWide(group)
		}
		if group.flags&groupWide != 0 {
			return s.findWide(g, index), 0
		}
		if b.index < index {
			break
		}
		later, n = n, b.next
	}
	return 0, later
}

func (s *shard) findWide(g uint32, index int64) uint32 {
	for n := range s.wide.under(s.bucketTag(g, index)) {
		if b := s.buckets.at(n); b.group == g && b.index == index {
			return n
		}
	}
	return 0
}

// makeWide enters a group's buckets into the table.
func (s *shard) makeWide(group *group) {
	group.flags |= groupWide
	for n := group.first; n != 0; n = s.buckets.at(n).next {
		b := s.buckets.at(n)
		s.wide.add(s.bucketTag(b.group, b.index), n)
	}
}

// before gives the bucket at the index before a bucket's, 0 if there is none.
func (s *shard) before(n uint32) uint32 {
	b := s.buckets.at(n)
	return s.neighbour(b, b.next, b.index-1)
}

// after gives the bucket at the index after a bucket's, 0 if there is none.
func (s *shard) after(n uint32) uint32 {
	b := s.buckets.at(n)
	return s.neighbour(b, b.prev, b.index+1)
}

// neighbour looks for a bucket where it mostly is, and where it may be as well.
func (s *shard) neighbour(b *bucket, n uint32, index int64) uint32 {
	if n != 0 && s.buckets.at(n).index == index {
		return n
	}
	if group := s.groups.at(b.group); group.flags&groupWide != 0 && index <= group.newest {
		return s.findWide(b.group, index)
	}
	return 0
}

// bucketOf gives a group's bucket, a new one if there is none.
func (s *shard) bucketOf(g uint32, group *group, index int64) uint32 {
	var later uint32
	if group.first != 0 && index <= group.newest {
		var n uint32
		if n, later = s.find(g, index); n != 0 {
			return n
		}
	}
	return s.addBucket(g, group, index, later)
}

// addBucket makes a bucket and puts it into its group's list behind another, 0 for
// the front.
func (s *shard) addBucket(g uint32, group *group, index int64, later uint32) uint32 {
	n := s.buckets.take(uint8(s.generation))
	link := &group.first
	if later != 0 {
		link = &s.buckets.at(later).next
	}
	b := s.buckets.at(n)
	b.index, b.group, b.prev, b.next = index, g, later, *link
	if b.next != 0 {
		s.buckets.at(b.next).prev = n
	}
	if group.first == 0 || index > group.newest {
		group.newest = index
	}
	*link = n
	switch {
	case group.flags&groupWide != 0:
		s.wide.add(s.bucketTag(g, index), n)
	case group.buckets == broad:
		s.makeWide(group)
	default:
		group.buckets++
	}
	return n
}

func (s *shard) bucketTag(g uint32, index int64) uint32 {
	return tagOf(s.hasher.bucket(bucketKey{g, index}))
}

// dropBucket forgets a bucket.
func (s *shard) dropBucket(n uint32) {
	b := s.buckets.at(n)
	group := s.groups.at(b.group)
	s.unlink(b, group)
	if group.flags&groupWide != 0 {
		s.wide.remove(s.bucketTag(b.group, b.index), n)
	} else {
		group.buckets--
	}
	group.events -= uint32(b.count)
	if b.count > 1 {
		s.resize(n, b, s.eventsOf(n, b), 0)
	}
	s.buckets.put(n, b)
}

// unlink takes a bucket out of its group's list.
func (s *shard) unlink(b *bucket, group *group) {
	if b.next != 0 {
		s.buckets.at(b.next).prev = b.prev
	}
	if b.prev != 0 {
		s.buckets.at(b.prev).next = b.next
	} else {
		group.first = b.next
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
