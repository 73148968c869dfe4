// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
	"unsafe"
)

// A shard has an equal share of the memory. Of that, at most
//
//   - three quarters go to groups, buckets and events, of which a quarter of the
//     share to IDs that tell repeats by themselves; some are kept for groups with
//     several events in a window, see forSeveral;
//   - an eighth to texts, which are evidence only: no more are kept then;
//   - a sixteenth to profiles, likewise;
//   - the rest, at least a sixteenth, to alerts.
func (s *shard) budget() int64 { return s.rule.MaxBytes / shardCount }

// bytes tells the memory that the shard takes.
func (s *shard) bytes() int64 {
	return s.windowBytes() + s.textBytes() + s.profiles.bytes + s.alertBytes
}

func (s *shard) windowBytes() int64 {
	return s.groups.bytes() + s.index.bytes() + s.looseBytes() + s.buckets.bytes() + s.wide.bytes() + s.runs.bytes() +
		observedBytes(max(s.peak, len(s.observed)))
}

// looseBytes allows for the allocator, which takes 5,376 bytes for a chunk of 5,120.
func (s *shard) looseBytes() int64 { return s.loose.bytes() / 20 * 21 }

func (s *shard) textBytes() (n int64) {
	for _, t := range s.texts {
		n += int64(cap(t))
	}
	return n
}

// observedBytes is what a map of so many IDs takes: a power of two of places, an
// eighth of which stays free.
func observedBytes(ids int) int64 {
	const place = 40 // 32 for key and value, one of the map's own, and what the allocator adds to 1,024 of them
	if ids == 0 {
		return 0
	}
	return place << max(3, bits.Len(uint(ids+ids/7)))
}

// hasTextRoom reports whether one more text is kept.
func (s *shard) hasTextRoom() bool {
	return s.rule.MaxBytes == 0 || s.textBytes() < s.budget()/8
}

// shrinkMaps gives back the memory of tables that are far smaller than they were.
func (s *shard) shrinkMaps() {
	s.index.shrink()
	s.wide.shrink()
	s.loose.shrink()
	s.buckets.shrink()
	s.peak = max(s.peak, len(s.observed))
	if len(s.observed) < s.peak/4 {
		s.observed, s.peak = copyMap(s.observed), len(s.observed)
	}
}

func copyMap[K comparable, V any](m map[K]V) map[K]V {
	fresh := make(map[K]V, len(m))
	maps.Copy(fresh, m)
	return fresh
}

// makeRoom forgets groups, the quietest first, when what an event needs would
// take the shard over its share of the memory, and nothing is free that could be given
// back. A group that alone takes an eighth of the share makes room itself: by what it
// can do without, or it goes.
func (s *shard) makeRoom(hash groupHash, e *event, told []Alert) []Alert {
	if s.room = 0; s.rule.MaxBytes == 0 {
		return told
	}
	if events := s.ample(); events > 0 {
		s.room = events - 1
		return told
	}
	if observedBytes(len(s.observed)+1) > s.budget()/4 {
		s.forgetObserved()
	}
	for {
		var victim uint32
		g := s.findGroup(hash)
		need, several := s.needs(g, e)
		full := need > 0 && need+s.kept() > s.left()
		if !full && !s.severalFull(several, need) {
			return told
		}
		var taken int64
		if g != 0 {
			taken = int64(s.groups.at(g).events) * eventBytes
		}
		switch large := s.budget() / 8; {
		case s.giveChunk():
			continue
		case taken+several > large && s.trim(g):
			continue
		case taken > large:
			victim = g
		case full:
			victim = s.quietest(g)
		default:
			victim = s.quietestOfSeveral(g)
		}
		if victim == 0 {
			return told
		}
		told = s.evict(victim, told)
	}
}

// ample tells how many events surely find room, whatever they are.
func (s *shard) ample() int {
	const most = slabLen // then a chunk more of each slab is enough
	observed := observedBytes(len(s.observed) + most)
	if observed > s.budget()/4 {
		return 0
	}
	slabs := s.groups.chunkBytes() + s.loose.chunkBytes() + s.buckets.chunkBytes()
	need := slabs + s.index.bytes() + s.wide.bytes() + s.runs.bigBytes + observed + s.kept()
	// What is loose takes the most, where it is sorted into as many buckets, or into half as many and blocks.
	const largest = (mostLoose+1)*int64(unsafe.Sizeof(bucket{})) + mostLoose/2*4*eventBytes + pageBytes
	return int(min((s.left()-need)/largest, most))
}

// left is how much more there may be.
func (s *shard) left() int64 {
	return min(s.budget()/4*3-s.windowBytes(), s.budget()-s.bytes())
}

// needs tells the memory that an event takes, for its group, which is 0 if it is new,
// or its place there. Apart is what only groups with several events in a window, or
// with many windows, take: blocks, and places in the table of the wide.
func (s *shard) needs(g uint32, e *event) (need, several int64) {
	if g == 0 {
		need = s.groups.growth(1) + s.index.growth(1)
		if s.few == 0 {
			return need + s.bucketGrowth(1), 0
		}
		return need + s.loose.growth(1), 0
	}
	group, index := s.groups.at(g), floorDiv(e.time, int64(s.rule.Size))
	switch _, fit := s.fitLoose(group, e); {
	case fit == knownLoose:
		return 0, 0
	case fit == fitsLoose || s.isNext(group, e):
		return s.loose.growth(1), 0
	case group.loose != 0: // not for long
		buckets, blocks := s.spread(group, index)
		if buckets > narrow {
			several = s.wide.growth(buckets)
		}
		return s.bucketGrowth(buckets), several + s.runs.growthOfAll(blocks)
	}
	switch n, _ := s.find(g, index); {
	case n != 0:
		return 0, s.runs.growth(n, int(s.buckets.at(n).count))
	case group.flags&groupWide != 0:
		several = s.wide.growth(1)
	case group.buckets >= narrow: // it may become wide
		several = s.wide.growth(int(group.buckets) + 1)
	}
	return s.bucketGrowth(1), several
}

// bucketGrowth is the memory that so many more buckets take, but for the first chunk,
// which is kept for them.
func (s *shard) bucketGrowth(buckets int) int64 {
	growth := s.buckets.growth(buckets)
	if s.buckets.next == 0 {
		growth -= s.buckets.chunkBytes()
	}
	return growth
}

// severalFull reports whether that is more than there may be, besides what else an event
// needs. To forget any other group would not help.
func (s *shard) severalFull(several, besides int64) bool {
	return several > 0 && s.severalBytes()+several > s.forSeveral() && several+besides > s.left()
}

// forSeveral is the memory that such groups may take even where there are so many
// others that all is full: whoever makes many calls is not to get lost among them.
func (s *shard) forSeveral() int64 { return max(s.budget()/16, 8*pageBytes) }

func (s *shard) severalBytes() int64 { return s.runs.bytes() + s.wide.bytes() }

// kept is the memory that is free only for who needs buckets and blocks.
func (s *shard) kept() int64 {
	kept := max(0, s.forSeveral()-s.severalBytes())
	if s.buckets.next == 0 {
		kept += s.buckets.chunkBytes()
	}
	return kept
}

// boundAlerts forgets groups with alerts, but not the one that has just got one,
// while alerts take more memory than the rest leaves them.
func (s *shard) boundAlerts(g uint32, told []Alert) []Alert {
	if s.rule.MaxBytes == 0 {
		return told
	}
	for s.alertBytes > s.budget()/16 && s.bytes() > s.budget() {
		victim := s.costliest(g)
		if victim == 0 {
			break
		}
		told = s.evict(victim, told)
	}
	return told
}

// costliest gives, of some groups with alerts but for one, that whose alerts take
// the most memory for the events that they stand for. 0 if there is no other.
func (s *shard) costliest(but uint32) (costliest uint32) {
	var most float64
	found := 0
	for g, list := range s.alerts { // which begins anywhere
		if g == but {
			continue
		}
		var taken int64
		for _, a := range list {
			taken += a.bytes()
		}
		if cost := float64(taken) / float64(1+s.groups.at(g).events); cost > most {
			costliest, most = g, cost
		}
		if found++; found == sampled {
			break
		}
	}
	return costliest
}

// letGo forgets an alert. It leaves the timer's list when half of that is of its kind.
func (s *shard) letGo(a *openAlert) {
	s.alertBytes -= a.bytes()
	a.dropped = true
	if s.save(a); !a.unsaved { // else the journal has yet to name it
		a.key = ""
	}
	if !a.waiting {
		return
	}
	if s.gone++; 2*s.gone > len(s.unsettled) {
		s.unsettled = slices.DeleteFunc(s.unsettled, func(a *openAlert) bool { return a.dropped })
		s.gone = 0
	}
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

// quietest gives one of the groups with the least weight, of some taken at random but
// for one. 0 if there is no other group.
func (s *shard) quietest(but uint32) (quietest uint32) {
	if s.index.used == 0 || s.index.used == 1 && but != 0 {
		return 0
	}
	for found, tries := 0, 0; found < sampled && (tries < 8*sampled || quietest == 0); tries++ {
		if g := 1 + rand.Uint32N(s.groups.next-1); g != but && s.groups.at(g).flags&groupLive != 0 {
			quietest = s.quieter(quietest, g)
			found++
		}
	}
	return quietest
}

// quietestOfSeveral is quietest of groups with several events in a window, or with
// many windows.
func (s *shard) quietestOfSeveral(but uint32) (quietest uint32) {
	inBlocks := s.runs.blocks()
	all := inBlocks + s.wide.used
	if all == 0 {
		return 0
	}
	for range sampled {
		var n uint32
		if k := rand.IntN(all); k < inBlocks {
			n = s.runs.owner(k)
		} else {
			n = s.wide.any()
		}
		if g := s.buckets.at(n).group; g != but {
			quietest = s.quieter(quietest, g)
		}
	}
	return quietest
}

// quieter gives the one of two groups that is to be forgotten first. The first may
// be 0, for none.
func (s *shard) quieter(a, b uint32) uint32 {
	if a == 0 || s.weight(b) < s.weight(a) {
		return b
	}
	return a
}

// weight orders groups by what would be lost with them: alerts, then the events of the
// latest window, since that may be a burst, or some few anywhere, then all events.
func (s *shard) weight(g uint32) uint64 {
	group := s.groups.at(g)
	weight := uint64(s.latest(group))<<32 | uint64(group.events)
	if group.flags&groupAlerts != 0 {
		weight |= 1 << 63
	}
	return weight
}

// latest is about how many events a group's latest window holds.
func (s *shard) latest(group *group) uint32 {
	switch {
	case group.loose != 0 && group.events > fewLoose:
		return s.latestLoose(group)
	case group.first == 0: // too few to look at each
		return group.events
	}
	b := s.buckets.at(group.first)
	count := uint32(b.count)
	if b.next != 0 {
		if before := s.buckets.at(b.next); before.index == b.index-1 {
			count += uint32(before.count)
		}
	}
	return count
}
