// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// A rule with AfterIntervention has a stage in front of its windows. A call that follows a known
// intervention is counted at once. Any other call waits: it is counted when an intervention
// arrives that it follows. Waiting calls and interventions are held for as long as they are
// remembered. Which calls are counted depends on the set of events alone, because whichever of a
// call and its intervention arrives second finds the first.
//
// A call that has waited keeps the generation in which it arrived. So it is forgotten no later
// than the intervention that it waited for, and the journal need not record it again when it is
// counted. A call that is counted at once is recorded as such, because the intervention before it
// is forgotten earlier.

// observe takes an event of a rule with AfterIntervention, and returns what it is added as:
// nothing if it is a repeat.
func (u *groupUpdate) observe(e *Event, p *store.Prepared) (as addedAs) {
	if e.Intervened && u.addIntervention(e, *p) {
		as = addedIntervention
	}
	if !e.Uncounted {
		as |= u.addCall(e, p)
	}
	return as
}

// addIntervention holds an intervention, and counts the calls that follow it. It reports false
// for a repeat.
func (u *groupUpdate) addIntervention(e *Event, p store.Prepared) bool {
	u.key, p.Generation = e.Key, uint8(u.generation)
	u.makeRoomToHold(p.Hash)
	if e.IDOnly && !u.observed.add(p.Hash, interventionID(p.ID), u.generation) || u.holds(store.HeldIntervention, &p) {
		return false
	}
	if u.hasTextRoom() {
		requestID := e.RequestID
		if p.Flags&store.EventUUID != 0 {
			requestID = "" // it is the ID
		}
		p.Text = u.texts[u.generation%textSlots].addPair(e.GuardrailID, requestID)
	}
	u.held.Add(p.Hash, store.HeldIntervention, &p.Event)

	u.countFollowing(p.Hash, p.Time)
	return true
}

// countFollowing counts the calls of a group that wait and follow an intervention at t, in order
// of time.
func (u *groupUpdate) countFollowing(hash store.GroupHash, t int64) {
	last := int64(math.MaxInt64)
	if after := int64(u.rule.AfterIntervention); t <= last-after {
		last = t + after
	}
	if u.taken == nil {
		u.taken = make([]store.Event, takenAtOnce)
	}
	g := u.held.Find(hash) // which has the intervention, so it stays
	for calls := u.taken; len(calls) == takenAtOnce; {
		calls = u.held.Take(g, t, last, calls)
		for i := range calls {
			if i+1 < len(calls) {
				u.incomplete = calls[i+1].Time == calls[i].Time
			} else {
				u.incomplete = u.held.HasCall(g, calls[i].Time)
			}
			u.countWaiting(&store.Prepared{Event: calls[i], Hash: hash})
		}
	}
	u.incomplete = false
}

// takenAtOnce is how many calls that have waited are taken at once.
const takenAtOnce = 64

// interventionID returns under which ID an intervention is known whose time is only when it was
// observed: the call itself may be known by its own.
func interventionID(id store.EventID) store.EventID {
	return store.EventID{High: ^id.High, Low: ^id.Low}
}

// addCall counts a call that follows an intervention, and lets any other wait. It returns what the
// call is added as: nothing if it is a repeat.
func (u *groupUpdate) addCall(e *Event, p *store.Prepared) addedAs {
	if u.followsIntervention(p) {
		if u.count(e, p) {
			return addedCounted
		}
		return 0
	}
	p.Profile, p.Generation = u.profiles.number(e), uint8(u.generation)
	u.makeRoomToHold(p.Hash)
	if e.IDOnly && !u.observed.add(p.Hash, p.ID, u.generation) {
		return 0
	}
	// It may be counted already, after an intervention that is forgotten.
	if u.holds(store.HeldCall, p) || u.counted(p) {
		return 0
	}
	if p.Flags&store.EventUUID == 0 {
		p.Text = u.keepText(e.RequestID)
	}
	u.held.Add(p.Hash, store.HeldCall, &p.Event)
	return addedWaiting
}

// followsIntervention reports whether a known intervention of its group lets a call count.
func (s *shard) followsIntervention(p *store.Prepared) bool {
	i := s.held.Before(s.held.Find(p.Hash), p.Time)
	return i != nil && uint64(p.Time)-uint64(i.Time) <= uint64(s.rule.AfterIntervention)
}

// counted reports whether a call is in a window.
func (s *shard) counted(p *store.Prepared) bool {
	g := s.store.FindGroup(p.Hash)
	return g != 0 && s.store.Contains(g, &p.Event)
}

// countWaiting counts a call that has waited.
func (u *groupUpdate) countWaiting(p *store.Prepared) {
	at := u.store.Locate(p)
	if u.freeInserts--; u.freeInserts < 0 {
		at = u.makeRoom(at, p)
	}
	if g, bucket, _ := u.store.Insert(at, p); bucket != 0 {
		u.group = g
		u.check(bucket, &p.Event)
	}
}

// holds reports whether an event is held.
func (s *shard) holds(kind store.HeldKind, p *store.Prepared) bool {
	return s.held != nil && s.held.Contains(s.held.Find(p.Hash), kind, &p.Event)
}

// maxSimultaneous is how many interventions of one instant are compared.
const maxSimultaneous = 64

// interventionBefore returns the latest intervention of a group before a time, nil if none is
// known. Of those at one time it is the one with the greatest request ID, so that it does not
// depend on how IDs are hashed.
func (s *shard) interventionBefore(hash store.GroupHash, t int64) *Intervention {
	g := s.held.Find(hash)
	e := s.held.Before(g, t)
	if e == nil {
		return nil
	}
	latest := s.intervention(e)
	for range maxSimultaneous {
		if e = s.held.Preceding(g, e); e == nil || e.Time != latest.Time {
			break
		}
		if other := s.intervention(e); other.RequestID > latest.RequestID {
			latest = other
		}
	}
	return &latest
}

func (s *shard) intervention(e *store.Event) Intervention {
	i := Intervention{Time: e.Time}
	i.GuardrailID, i.RequestID = s.texts[e.Generation%textSlots].pairAt(e.Text)
	if e.Flags&store.EventUUID != 0 {
		i.RequestID = formatUUID(e.ID)
	}
	return i
}
