// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "unsafe"

// Need is the memory that an insert takes, in bytes.
type Need struct {
	Bytes int64 // except for what follows
	// Block is what only groups with several events in a bucket, or with many buckets, take:
	// blocks, and slots of the bucket index.
	Block int64
}

// Need returns the memory that inserting an event takes at its position.
func (s *Store) Need(at Position, p *Prepared) Need {
	switch at.kind {
	case inNewGroup:
		bytes := s.groups.growth(1) + s.index.growth(1)
		if s.maxNearby == 0 {
			return Need{Bytes: bytes + s.bucketGrowth(1)}
		}
		return Need{Bytes: bytes + s.sparse.growth(1)}
	case inSparseList:
		return Need{Bytes: s.sparse.growth(1)}
	case knownInSparseList:
		return Need{}
	case inBucketsWithOthers:
		buckets, blocks := s.spread(s.group(at.group), s.IndexOf(p.Time))
		need := Need{Bytes: s.bucketGrowth(buckets), Block: s.blocks.growthFor(&blocks)}
		if buckets > maxScan {
			need.Block += s.bucketIndex.growth(buckets)
		}
		return need
	case inBucket:
		return Need{Block: s.blocks.growth(at.bucket, int(s.Bucket(at.bucket).count))}
	default:
		need := Need{Bytes: s.bucketGrowth(1)}
		switch group := s.group(at.group); {
		case group.flags&groupIndexed != 0:
			need.Block = s.bucketIndex.growth(1)
		case group.buckets >= maxScan: // it may be indexed
			need.Block = s.bucketIndex.growth(int(group.buckets) + 1)
		}
		return need
	}
}

// spread returns how many buckets a group's sparse events and one more take, and how many
// blocks of each class.
func (s *Store) spread(group *group, index int64) (buckets int, blocks blockCounts) {
	var array [maxSparse]uint32
	joined := 0 // sparse events in the bucket of the one more
	for events := s.earliestFirst(group, array[:0]); len(events) > 0; {
		at, count := s.firstBucket(events)
		if buckets++; at == index {
			joined = count
		}
		blocks[classFor(count)]++
		events = events[count:]
	}
	if joined == 0 {
		buckets++
	} else if class := classFor(joined + 1); class > classFor(joined) {
		blocks[class]++ // before the shorter one is released
	}
	return buckets, blocks
}

// bucketGrowth returns the memory that more buckets take, except for the first chunk, which is
// reserved for them.
func (s *Store) bucketGrowth(buckets int) int64 {
	return s.buckets.growth(buckets) - s.FirstChunk()
}

// FirstChunk returns the memory of the first chunk of buckets as long as there is none:
// it is to be reserved, so that a burst finds it when all else is full.
func (s *Store) FirstChunk() int64 {
	if s.buckets.next > 0 {
		return 0
	}
	return s.buckets.chunkBytes()
}

// MaxGrowth returns the most memory that up to [ChunkLen] inserts take, whatever they are:
// some once, and some for each of them.
func (s *Store) MaxGrowth() (once, each int64) {
	once = s.groups.growth(ChunkLen) + s.index.growth(ChunkLen) + s.sparse.growth(ChunkLen) +
		s.buckets.chunkBytes() + s.bucketIndex.bytes() + s.blocks.largeBytes
	// A sparse list takes the most when it is moved into as many buckets, or into half as many
	// with a block each.
	each = (maxSparse+1)*int64(unsafe.Sizeof(Bucket{})) + maxSparse/2*4*EventBytes + PageBytes
	return once, each
}

// Bytes returns the memory that the store takes.
func (s *Store) Bytes() int64 {
	sparse := s.sparse.bytes() / 20 * 21 // the allocator takes 5,376 bytes for a chunk of 5,120
	return s.groups.bytes() + s.index.bytes() + sparse + s.buckets.bytes() + s.BlockBytes()
}

// BlockBytes returns what of it only groups with several events in a bucket, or with many
// buckets, take.
func (s *Store) BlockBytes() int64 { return s.blocks.bytes() + s.bucketIndex.bytes() }
