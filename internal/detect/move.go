// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "slices"

// giveChunk gives the memory of a chunk of buckets back: those in the last one move
// to places that are free. It reports false when too few are. So what a flood has
// taken, and of which something is always in use, serves for something else again.
func (s *shard) giveChunk() bool {
	if len(s.buckets.free) < 2*slabLen { // half of which may lie in the chunk itself
		return false
	}
	from := s.buckets.lastChunk()
	s.buckets.free = slices.DeleteFunc(s.buckets.free, func(n uint32) bool { return n >= from })
	for n := from; n < s.buckets.next; n++ {
		if s.buckets.at(n).count > 0 {
			s.moveBucket(n, s.buckets.take())
		}
	}
	s.buckets.cut()
	s.oldest = s.oldest[:from]
	return true
}

// moveBucket gives a bucket another number, and tells all that refer to it.
func (s *shard) moveBucket(n, to uint32) {
	b := s.buckets.at(to)
	*b = *s.buckets.at(n)
	s.oldest[to] = s.oldest[n]
	group := s.groups.at(b.group)
	if b.prev != 0 {
		s.buckets.at(b.prev).next = to
	} else {
		group.first = to
	}
	if b.next != 0 {
		s.buckets.at(b.next).prev = to
	}
	if group.flags&groupWide != 0 {
		tag := s.bucketTag(b.group, b.index)
		s.wide.remove(tag, n)
		s.wide.add(tag, to)
	}
	s.runs.pass(n, to, classFor(int(b.count)), b.place)
}
