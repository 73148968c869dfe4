// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"maps"
	"math/rand/v2"
)

const observedBytes = 76 // about what an entry of the map takes, counting the part of it that stands empty

// bytes tells the memory that the shard takes.
func (s *shard) bytes() int64 {
	s.peak = max(s.peak, len(s.observed))
	return s.groups.bytes() + s.buckets.bytes() + s.index.bytes() + s.wide.bytes() + s.runs.bytes() +
		s.alertBytes + s.textBytes() + int64(s.peak)*observedBytes + int64(len(s.profiles.list))*profileBytes
}

func (s *shard) textBytes() (n int64) {
	for _, t := range s.texts {
		n += int64(cap(t))
	}
	return n
}

func (s *shard) budget() int64 { return s.rule.MaxBytes / shardCount }

// hasTextRoom bounds the texts to an eighth of the memory: they are evidence only.
func (s *shard) hasTextRoom() bool {
	return s.rule.MaxBytes == 0 || s.textBytes() < s.budget()/8
}

// shrinkMaps gives back the memory of tables that are far smaller than they were.
func (s *shard) shrinkMaps() {
	s.index.shrink()
	s.wide.shrink()
	if len(s.observed) < s.peak/4 {
		s.observed, s.peak = copyMap(s.observed), len(s.observed)
	}
}

func copyMap[K comparable, V any](m map[K]V) map[K]V {
	fresh := make(map[K]V, len(m))
	maps.Copy(fresh, m)
	return fresh
}

// makeRoom forgets groups, the quietest first, when what an event may need would
// take the shard over its share of the memory. A group that alone takes a
// quarter of the share goes before any other.
func (s *shard) makeRoom(hash groupHash, told []Alert) []Alert {
	if s.rule.MaxBytes == 0 {
		return told
	}
	need := s.groups.chunkBytes() + s.buckets.chunkBytes() + pageBytes
	for s.needsMemory() && s.bytes()+need > s.budget() {
		if int64(len(s.observed))*observedBytes > s.budget()/4 {
			s.forgetObserved()
			continue
		}
		victim := s.quietest()
		if g := s.findGroup(hash); g != 0 && int64(s.groups.at(g).events)*eventBytes > s.budget()/4 {
			victim = g
		}
		if victim == 0 {
			break
		}
		told = s.evict(victim, told)
	}
	return told
}

// needsMemory reports whether another event might need more than is there.
func (s *shard) needsMemory() bool {
	return s.groups.full() || s.buckets.full() || len(s.runs.free) == 0
}

// forgetObserved drops half of the IDs that tell repeats by themselves.
func (s *shard) forgetObserved() {
	drop := len(s.observed)/2 + 1
	for key := range s.observed {
		if drop--; drop < 0 {
			break
		}
		delete(s.observed, key)
	}
	s.observed, s.peak = copyMap(s.observed), len(s.observed)
}

// sampled is among how many groups the quietest is looked for: where nine in ten
// groups are quieter than one, it goes in one eviction of ten million times
// their number.
const sampled = 8

// quietest gives one of the groups with the fewest events, of some taken at
// random; one without alerts if there is any. 0 if there is no group.
func (s *shard) quietest() (quietest uint32) {
	if s.index.used == 0 {
		return 0
	}
	var least uint64
	for found, tries := 0, 0; found < sampled && (tries < 8*sampled || quietest == 0); tries++ {
		g := 1 + rand.Uint32N(s.groups.next-1)
		group := s.groups.at(g)
		if group.flags&groupLive == 0 {
			continue
		}
		found++
		weight := uint64(group.events)
		if group.flags&groupAlerts != 0 {
			weight |= 1 << 32
		}
		if quietest == 0 || weight < least {
			quietest, least = g, weight
		}
	}
	return quietest
}
