// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "slices"

// ReleaseChunk releases the memory of a chunk, of buckets or of sparse events. It reports
// false when too few numbers are free. So the memory that a flood took, and of which some is
// always in use, serves for something else again.
func (s *Store) ReleaseChunk() bool {
	return s.buckets.releaseChunk(func(b *Bucket) bool { return b.count > 0 }, s.moveBucket) ||
		s.sparse.releaseChunk(func(e *sparseEvent) bool { return e.group != 0 }, s.moveSparse)
}

// releaseChunk moves what lies in the last chunk to numbers that are free.
func (s *generationSlab[T]) releaseChunk(used func(*T) bool, move func(n, to uint32)) bool {
	if len(s.free) < 2*ChunkLen { // half of which may lie in the chunk itself
		return false
	}
	from := s.lastChunk()
	s.free = slices.DeleteFunc(s.free, func(n uint32) bool { return n >= from })
	for n := from; n < s.next; n++ {
		if used(s.at(n)) {
			move(n, s.take(s.oldest[n]))
		}
	}
	s.dropChunk()
	return true
}

// moveBucket renumbers a bucket, and corrects all that refer to it.
func (s *Store) moveBucket(from, to uint32) {
	n := BucketID(to)
	b := s.Bucket(n)
	*b = *s.buckets.at(from)
	group := s.group(b.group)
	if b.prev != 0 {
		s.Bucket(b.prev).next = n
	} else {
		group.first = n
	}
	if b.next != 0 {
		s.Bucket(b.next).prev = n
	}
	if group.flags&groupIndexed != 0 {
		tag := s.bucketTag(b.group, b.Index)
		s.bucketIndex.remove(tag, from)
		s.bucketIndex.add(tag, to)
	}
	s.blocks.transfer(BucketID(from), n, classFor(int(b.count)), b.block)
}

// moveSparse renumbers a sparse event, and corrects what refers to it.
func (s *Store) moveSparse(from, to uint32) {
	e := s.sparse.at(to)
	*e = *s.sparse.at(from)
	link := &s.group(e.group).sparse
	for *link != from {
		link = &s.sparse.at(*link).older
	}
	*link = to
}
