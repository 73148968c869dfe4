// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "slices"

// giveChunk gives the memory of a chunk back, of buckets or of loose events. It reports
// false when too few places are free. So what a flood has taken, and of which something
// is always in use, serves for something else again.
func (s *shard) giveChunk() bool {
	return s.buckets.giveChunk(func(b *bucket) bool { return b.count > 0 }, s.moveBucket) ||
		s.loose.giveChunk(func(l *loose) bool { return l.group != 0 }, s.moveLoose)
}

// giveChunk moves what lies in the last chunk to places that are free.
func (a *aged[T]) giveChunk(used func(*T) bool, move func(n, to uint32)) bool {
	if len(a.free) < 2*slabLen { // half of which may lie in the chunk itself
		return false
	}
	from := a.lastChunk()
	a.free = slices.DeleteFunc(a.free, func(n uint32) bool { return n >= from })
	for n := from; n < a.next; n++ {
		if used(a.at(n)) {
			move(n, a.take(a.oldest[n]))
		}
	}
	a.cut()
	return true
}

// moveBucket gives a bucket another number, and tells all that refer to it.
func (s *shard) moveBucket(n, to uint32) {
	b := s.buckets.at(to)
	*b = *s.buckets.at(n)
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

// moveLoose gives a loose event another number, and tells what refers to it.
func (s *shard) moveLoose(n, to uint32) {
	l := s.loose.at(to)
	*l = *s.loose.at(n)
	link := &s.groups.at(l.group).loose
	for *link != n {
		link = &s.loose.at(*link).older
	}
	*link = to
}
