// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// makeRoom evicts groups, the quietest first, when an event that belongs at a position would
// take the shard over its share of the memory, and no free memory can be released. A group
// that alone takes an eighth of the share makes room itself: by what it can do without, or it
// is evicted. The result is where the event belongs then.
func (u *groupUpdate) makeRoom(at store.Position, p *store.Prepared) store.Position {
	s := u.shard
	if s.hasGuaranteedInsert() {
		return at
	}
	for {
		need := s.store.Need(at, p)
		lacks := s.shortageOf(need)
		if lacks == lacksNothing || !u.freeMemory(at.Group(), p.Hash, need, lacks) {
			return at
		}
		at = s.store.Locate(p)
	}
}

// makeRoomToHold does the same for an event that is to be held.
func (u *groupUpdate) makeRoomToHold(hash store.GroupHash) {
	s := u.shard
	if s.freeInserts--; s.freeInserts >= 0 || s.hasGuaranteedInsert() {
		return
	}
	for {
		need := s.held.Growth(hash)
		if need == 0 || need+s.reserved() <= s.available() || !u.freeMemoryToHold(hash) {
			return
		}
	}
}

// hasGuaranteedInsert reports whether one more insert certainly finds memory, and works out how
// many others do.
func (s *shard) hasGuaranteedInsert() bool {
	if s.freeInserts = 0; s.rule.MaxBytes == 0 {
		return true
	}
	if free := s.guaranteedInserts(); free > 0 {
		s.freeInserts = free - 1
		return true
	}
	if s.observed.bytes(1) > s.budget()/4 {
		s.observed.forgetHalf()
	}
	return false
}

// freeMemory frees some of the memory that an event of a group lacks, which may be 0. It
// reports false when nothing can be freed.
func (u *groupUpdate) freeMemory(g store.GroupID, hash store.GroupHash, need store.Need, lacks shortage) bool {
	s := u.shard
	if s.releaseChunk() {
		return true
	}
	var taken int64
	if g != 0 {
		taken = int64(s.store.Events(g))*store.EventBytes + s.alertBytesOf(g)
	}
	large := s.budget() / 8
	if taken+need.Block > large && g != 0 && s.store.Truncate(g, max(maxEvidence, s.rule.Threshold+1)) {
		return true
	}
	victim := g
	if taken <= large {
		if s.heldBytes() > s.store.Bytes() && s.evictHeld(hash) {
			return true
		}
		victim = s.store.Quietest(g, lacks == lacksBlocks)
	}
	if victim != 0 {
		u.evict(victim)
	}
	return victim != 0
}

// freeMemoryToHold frees some of the memory that an event lacks which is to be held: of its own
// group, if that alone holds so much, or else of the quietest among the groups that are held or
// those in windows, whichever take more. It reports false when nothing can be freed.
func (u *groupUpdate) freeMemoryToHold(hash store.GroupHash) bool {
	s := u.shard
	if s.releaseChunk() {
		return true
	}
	if g := s.held.Find(hash); g != 0 && s.holdsMuch(g) {
		s.shrinkHeld(g)
		return true
	}
	if s.heldBytes() > s.store.Bytes() && s.evictHeld(hash) {
		return true
	}
	victim := s.store.Quietest(0, false)
	if victim == 0 {
		return s.evictHeld(hash)
	}
	u.evict(victim)
	return true
}

// releaseChunk releases memory of which others still use a part.
func (s *shard) releaseChunk() bool {
	return s.store.ReleaseChunk() || s.held != nil && s.held.ReleaseChunk()
}

// holdsMuch reports whether what is held of a group takes an eighth of the share.
func (s *shard) holdsMuch(g store.HeldID) bool {
	return int64(s.held.Events(g, store.HeldCall)+s.held.Events(g, store.HeldIntervention))*store.HeldBytes > s.budget()/8
}

// shrinkHeld forgets some of what is held of a group that alone takes too much: interventions
// that decide nothing, or else the earlier half of its calls. If it has hardly any, it is
// evicted.
func (s *shard) shrinkHeld(g store.HeldID) {
	calls, interventions := s.held.Events(g, store.HeldCall), s.held.Events(g, store.HeldIntervention)
	switch {
	case interventions <= calls:
		s.held.DropEarliest(g, calls/2+1)
		s.evicted++
	case s.held.Thin(g, uint64(s.rule.AfterIntervention)) < interventions/2: // else it is not worth the time
		s.held.Evict(g)
		s.evicted++
	}
}

// evictHeld drops all that is held of a group other than that with a hash, of some taken at
// random the quietest. It reports false if there is no other.
func (s *shard) evictHeld(but store.GroupHash) bool {
	own := s.held.Find(but)
	var quietest store.HeldID
	for range sampled {
		g := s.held.Random(own)
		if g == 0 {
			return false
		}
		if quietest == 0 || s.heldWeight(g) < s.heldWeight(quietest) {
			quietest = g
		}
	}
	s.held.Evict(quietest)
	s.evicted++
	return true
}

// heldWeight orders groups by what is lost with what is held of them: first those with an
// intervention, whose next calls count, then by all events of a group, held or in windows.
func (s *shard) heldWeight(g store.HeldID) int {
	interventions := s.held.Events(g, store.HeldIntervention)
	weight := interventions + s.held.Events(g, store.HeldCall)
	if counted := s.store.FindGroup(s.held.Hash(g)); counted != 0 {
		weight += s.store.Events(counted)
	}
	if interventions > 0 {
		weight += math.MaxInt32
	}
	return weight
}

// evict drops a group for lack of memory. Its open alerts are closed.
func (u *groupUpdate) evict(g store.GroupID) {
	s := u.shard
	if alerts := s.alerts[g]; len(alerts) > 0 {
		key := alerts[0].Key
		for _, a := range alerts {
			if !a.Closed && !a.Suppressed {
				u.emitted = append(u.emitted, s.report(g, a, Closed))
			}
			s.dropAlert(a)
		}
		s.forgetAlerts(g, key)
	}
	s.store.Evict(g)
	s.evicted++
}

// boundAlerts evicts groups with alerts, but not the present one, while alerts take more
// memory than the rest leaves them.
func (u *groupUpdate) boundAlerts() {
	s := u.shard
	for s.alertBytes > s.budget()/16 && s.rule.MaxBytes > 0 && s.bytes() > s.budget() {
		victim := s.costliest(u.group)
		if victim == 0 {
			return
		}
		u.evict(victim)
	}
}

// sampled is among how many groups with alerts the costliest is looked for.
const sampled = 8

// costliest returns, of some groups with alerts except for one, that whose alerts take the most
// memory for the events that they stand for. It is 0 if there is no other.
func (s *shard) costliest(but store.GroupID) (costliest store.GroupID) {
	var highest float64
	found := 0
	for g, alerts := range s.alerts { // which begins anywhere
		if g == but {
			continue
		}
		taken := int64(len(alerts[0].Key))
		for _, a := range alerts {
			taken += a.bytes()
		}
		if cost := float64(taken) / float64(1+s.store.Events(g)); cost > highest {
			costliest, highest = g, cost
		}
		if found++; found == sampled {
			break
		}
	}
	return costliest
}
