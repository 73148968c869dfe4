// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "iter"

// GroupID numbers the groups of a store. 0 is none.
type GroupID uint32

// GroupHash stands for the key of a group. Its upper bits choose the slot of the index.
type GroupHash uint64

func (h GroupHash) tag() uint32 { return tagOf(uint64(h)) }

// group is what events are counted by.
type group struct {
	hash    GroupHash
	newest  int64    // no bucket has a higher index; with a sparse list: no event is later
	first   BucketID // of its list: the latest, unless the group is indexed
	sparse  uint32   // the latest event of the sparse list; then there are no buckets
	events  uint32
	buckets uint8 // unless the group is indexed
	flags   groupFlags
}

type groupFlags uint8

const (
	groupInUse   groupFlags = 1 << iota
	groupIndexed            // its buckets are in the bucket index
	groupPinned             // kept even if it is empty
)

// FindGroup returns the group with a hash, 0 if there is none.
func (s *Store) FindGroup(hash GroupHash) GroupID {
	x := &s.index
	if x.used == 0 {
		return 0
	}
	tag := hash.tag()
	for i := x.preferred(tag); ; i = x.next(i) {
		switch slot := x.slots[i]; {
		case slot.n == 0:
			return 0
		case slot.tag == tag && s.groups.at(slot.n).hash == hash:
			return GroupID(slot.n)
		}
	}
}

// AddGroup makes a group, which must not exist yet.
func (s *Store) AddGroup(hash GroupHash) GroupID {
	n := s.groups.take()
	*s.groups.at(n) = group{hash: hash, flags: groupInUse}
	s.index.add(hash.tag(), n)
	return GroupID(n)
}

// hasHash reports whether g is the group with a hash, whatever g is.
func (s *Store) hasHash(g GroupID, hash GroupHash) bool {
	return 0 < g && uint32(g) < s.groups.next && s.group(g).hash == hash
}

// Events returns how many events of a group are remembered.
func (s *Store) Events(g GroupID) int { return int(s.group(g).events) }

// Pinned reports whether a group is pinned.
func (s *Store) Pinned(g GroupID) bool { return s.group(g).flags&groupPinned != 0 }

// Pin keeps a group, even if it is empty, and moves its events into buckets.
func (s *Store) Pin(g GroupID) {
	group := s.group(g)
	s.moveToBuckets(g, group)
	group.flags |= groupPinned
}

// Unpin ends Pin. An empty group is dropped.
func (s *Store) Unpin(g GroupID) {
	s.group(g).flags &^= groupPinned
	s.dropIfEmpty(g)
}

// Evict drops a group with all its events, for lack of memory.
func (s *Store) Evict(g GroupID) {
	s.dropGroup(g)
	s.bucketIndex.shrink()
}

// Buckets returns the buckets of a group, in order of the list. None may be added or
// dropped meanwhile.
func (s *Store) Buckets(g GroupID) iter.Seq[BucketID] {
	return func(yield func(BucketID) bool) {
		for b := s.group(g).first; b != 0; b = s.Bucket(b).next {
			if !yield(b) {
				return
			}
		}
	}
}

// Contains reports whether an event of a group is remembered: a repeat would be
// recognised.
func (s *Store) Contains(g GroupID, e *Event) bool {
	if group := s.group(g); group.sparse != 0 {
		return s.inSparseList(group, e)
	}
	b := s.Find(g, s.IndexOf(e.Time))
	if b == 0 {
		return false
	}
	_, found := search(s.EventsOf(b), e)
	return found
}

// dropIfEmpty drops a group that holds nothing and is not pinned.
func (s *Store) dropIfEmpty(g GroupID) {
	if group := s.group(g); group.first == 0 && group.sparse == 0 && group.flags&groupPinned == 0 {
		s.dropGroup(g)
	}
}

func (s *Store) dropGroup(g GroupID) {
	group := s.group(g)
	for n, e := range s.sparseList(group) {
		s.sparse.put(n, e)
	}
	for group.first != 0 {
		s.dropBucket(group.first)
	}
	s.index.remove(group.hash.tag(), uint32(g))
	s.groups.put(uint32(g), group)
}
