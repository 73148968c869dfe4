// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

// Prepared is an event that is about to be inserted.
type Prepared struct {
	Event
	Hash  GroupHash // of its group
	Group GroupID   // set by Prefetch; 0: not known
	Next  int32     // number of the next event of the same store in its batch; negative: none
}

// Position is where an event belongs, as found by [Store.Locate]. It is valid until the
// store changes.
type Position struct {
	group  GroupID
	bucket BucketID // the event's bucket, or the one after which a new one belongs
	link   *uint32  // of a sparse list, to the event after which it belongs
	kind   positionKind
}

type positionKind uint8

const (
	inNewGroup positionKind = iota
	inSparseList
	knownInSparseList   // the event is there already
	inBucketsWithOthers // with all events of its sparse list
	inBucket
	inNewBucket
)

// Group returns the group of a position, 0 if it is new.
func (p Position) Group() GroupID { return p.group }

// Locate returns where an event belongs.
func (s *Store) Locate(p *Prepared) Position {
	g := p.Group
	if !s.hasHash(g, p.Hash) { // not prefetched, dropped, or made since
		if g = s.FindGroup(p.Hash); g == 0 {
			return Position{kind: inNewGroup}
		}
	}
	group := s.group(g)
	if group.sparse != 0 {
		if s.isNext(group, &p.Event) {
			return Position{group: g, link: &group.sparse, kind: inSparseList}
		}
		link, kind := s.searchSparse(group, &p.Event)
		return Position{group: g, link: link, kind: kind}
	}
	return s.locateBucket(g, group, p.Time)
}

// locateBucket returns the position of an event time among the buckets of a group.
func (s *Store) locateBucket(g GroupID, group *group, t int64) Position {
	index := s.IndexOf(t)
	if group.first == 0 || index > group.newest {
		return Position{group: g, kind: inNewBucket}
	}
	n, later := s.find(g, index)
	if n != 0 {
		return Position{group: g, bucket: n, kind: inBucket}
	}
	return Position{group: g, bucket: later, kind: inNewBucket}
}

// Insert puts an event where Locate found that it belongs, and returns its group and its
// bucket: 0 if no window of the group can hold more than the threshold, and it is not pinned.
// It reports false for an event that is there already.
func (s *Store) Insert(at Position, p *Prepared) (GroupID, BucketID, bool) {
	if at.kind == inNewGroup {
		at = s.startGroup(p.Hash)
	}
	group := s.group(at.group)
	switch at.kind {
	case inSparseList:
		s.addSparse(at.group, group, at.link, &p.Event)
		return at.group, 0, true
	case knownInSparseList:
		return at.group, 0, false
	case inBucketsWithOthers:
		s.moveToBuckets(at.group, group)
		at = s.locateBucket(at.group, group, p.Time)
	default: // in a bucket already
	}
	if at.kind == inNewBucket {
		at.bucket = s.addBucket(at.group, group, s.IndexOf(p.Time), at.bucket)
	}
	if !s.add(group, at.bucket, s.Bucket(at.bucket), &p.Event) {
		return at.group, 0, false
	}
	if p.Generation != uint8(s.generation) {
		s.backdate(at.bucket, p.Generation)
	}
	if group.events <= s.threshold && group.flags&groupPinned == 0 {
		return at.group, 0, true
	}
	return at.group, at.bucket, true
}

// backdate notes that a bucket holds an event that arrived in an earlier generation.
func (s *Store) backdate(n BucketID, generation uint8) {
	if oldest := &s.buckets.oldest[n]; s.age(generation) > s.age(*oldest) {
		*oldest = generation
	}
}

// startGroup makes a group and returns where its first event belongs.
func (s *Store) startGroup(hash GroupHash) Position {
	g := s.AddGroup(hash)
	if s.maxNearby == 0 {
		return Position{group: g, kind: inNewBucket}
	}
	return Position{group: g, link: &s.group(g).sparse, kind: inSparseList}
}

// minPrefetched is from how many groups and buckets on prefetching pays: fewer, of all
// shards together, stay in the processor's cache.
const minPrefetched = 1 << 11

func (s *Store) worthPrefetching() bool { return s.groups.next+s.buckets.next >= minPrefetched }

// Prefetch finds the groups of a list of events, which begins at first, and has the memory
// that inserting looks at brought into the cache, if that pays: no event then waits for the
// memory of the one before.
func (s *Store) Prefetch(events []Prepared, first int32) {
	if s.worthPrefetching() {
		s.prefetch(events, first)
	}
}

func (s *Store) prefetch(events []Prepared, first int32) {
	var sink int64
	for i := first; i >= 0; i = events[i].Next {
		sink += int64(s.index.prefetch(events[i].Hash.tag()))
	}
	for i := first; i >= 0; i = events[i].Next {
		events[i].Group = s.FindGroup(events[i].Hash)
	}
	for i := first; i >= 0; i = events[i].Next {
		if g := events[i].Group; g != 0 && s.group(g).first != 0 {
			sink += s.Bucket(s.group(g).first).Index
		}
	}
	for i := first; i >= 0; i = events[i].Next {
		if g := events[i].Group; g != 0 && s.group(g).first != 0 {
			latest := s.group(g).first
			if known := s.EventsOf(latest); len(known) > 1 {
				sink += known[len(known)-1].Time
			}
			sink += s.Bucket(s.Bucket(latest).next).Index
		}
	}
	s.prefetched += sink
}
