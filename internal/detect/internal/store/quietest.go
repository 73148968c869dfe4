// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "math/rand/v2"

// sampled is among how many groups the quietest is looked for: where nine in ten groups are
// quieter than one, it is evicted once in ten million evictions for each group.
const sampled = 8

// Quietest returns one of the groups with the least weight, of some taken at random except for
// one: of all groups, or only of those that take what [Store.BlockBytes] counts. It is 0 if
// there is no other.
func (s *Store) Quietest(but GroupID, withBlocks bool) GroupID {
	if withBlocks {
		return s.quietestWithBlocks(but)
	}
	return s.quietest(but)
}

func (s *Store) quietest(but GroupID) (quietest GroupID) {
	if s.index.used == 0 || s.index.used == 1 && but != 0 {
		return 0
	}
	for found, tries := 0, 0; found < sampled && (tries < 8*sampled || quietest == 0); tries++ {
		if g := GroupID(1 + rand.Uint32N(s.groups.next-1)); g != but && s.group(g).flags&groupInUse != 0 {
			quietest = s.quieter(quietest, g)
			found++
		}
	}
	return quietest
}

func (s *Store) quietestWithBlocks(but GroupID) (quietest GroupID) {
	blocks := s.blocks.len()
	all := blocks + s.bucketIndex.used
	if all == 0 {
		return 0
	}
	for range sampled {
		var n BucketID
		if k := rand.IntN(all); k < blocks {
			n = s.blocks.owner(k)
		} else {
			n = BucketID(s.bucketIndex.random())
		}
		if g := s.Bucket(n).group; g != but {
			quietest = s.quieter(quietest, g)
		}
	}
	return quietest
}

// quieter returns the one of two groups that is to be evicted first. The first may be 0,
// for none.
func (s *Store) quieter(a, b GroupID) GroupID {
	if a == 0 || s.weight(b) < s.weight(a) {
		return b
	}
	return a
}

// weight orders groups by what is lost with them: first alerts, then the events of the
// latest window, since that may be a burst, or a few anywhere, then all events.
func (s *Store) weight(g GroupID) uint64 {
	group := s.group(g)
	weight := uint64(s.latestWindow(group))<<32 | uint64(group.events)
	if group.flags&groupPinned != 0 {
		weight |= 1 << 63
	}
	return weight
}

// latestWindow returns about how many events a group's latest window holds.
func (s *Store) latestWindow(group *group) uint32 {
	switch {
	case group.sparse != 0 && group.events > maxNearby:
		return s.nearLatest(group)
	case group.first == 0: // too few to look at each
		return group.events
	}
	b := s.Bucket(group.first)
	count := uint32(b.count)
	if b.next != 0 {
		if previous := s.Bucket(b.next); previous.Index == b.Index-1 {
			count += uint32(previous.count)
		}
	}
	return count
}
