// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "example.com/otelcol-guardrail/internal/detect/internal/store"

// makeRoom evicts groups, the quietest first, when an event that belongs at a position would
// take the shard over its share of the memory, and no free memory can be released. A group
// that alone takes an eighth of the share makes room itself: by what it can do without, or it
// is evicted. The result is where the event belongs then.
func (u *groupUpdate) makeRoom(at store.Position, p *store.Prepared) store.Position {
	s := u.shard
	if s.freeInserts = 0; s.rule.MaxBytes == 0 {
		return at
	}
	if free := s.guaranteedInserts(); free > 0 {
		s.freeInserts = free - 1
		return at
	}
	if s.observed.bytes(1) > s.budget()/4 {
		s.observed.forgetHalf()
	}
	for {
		need := s.store.Need(at, p)
		lacks := s.shortageOf(need)
		if lacks == lacksNothing || !u.freeMemory(at.Group(), need, lacks) {
			return at
		}
		at = s.store.Locate(p)
	}
}

// freeMemory frees some of the memory that an event of a group lacks, which may be 0. It
// reports false when nothing can be freed.
func (u *groupUpdate) freeMemory(g store.GroupID, need store.Need, lacks shortage) bool {
	s := u.shard
	if s.store.ReleaseChunk() {
		return true
	}
	var taken int64
	if g != 0 {
		taken = int64(s.store.Events(g)) * store.EventBytes
	}
	large := s.budget() / 8
	if taken+need.Block > large && g != 0 && s.store.Truncate(g, max(maxEvidence, s.rule.Threshold+1)) {
		return true
	}
	victim := g
	if taken <= large {
		victim = s.store.Quietest(g, lacks == lacksBlocks)
	}
	if victim != 0 {
		u.evict(victim)
	}
	return victim != 0
}

// evict drops a group for want of memory. Its open alerts are closed.
func (u *groupUpdate) evict(g store.GroupID) {
	s := u.shard
	for _, a := range s.alerts[g] {
		if !a.Closed && !a.Suppressed {
			u.emitted = append(u.emitted, s.report(g, a, Closed))
		}
		s.dropAlert(a)
	}
	delete(s.alerts, g)
	s.store.Evict(g)
	s.evicted++
}

// boundAlerts evicts groups with alerts, but not the present one, while alerts take more
// memory than the rest leaves them.
func (u *groupUpdate) boundAlerts() {
	s := u.shard
	for s.rule.MaxBytes > 0 && s.alertBytes > s.budget()/16 && s.bytes() > s.budget() {
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
		var taken int64
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
