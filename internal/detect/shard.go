// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sync"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// shard holds some of the groups. Its lock guards all that is in it. What every event looks
// at comes first, to share cache lines: a small batch has few events for each shard.
type shard struct {
	mu          sync.Mutex
	generation  uint32 // the present one
	freeInserts int    // events that certainly find memory
	rule        *Rule
	alertBytes  int64
	ends        time.Time // when the present generation ends
	profiles    profiles
	store       store.Store

	hasher   *hasher
	started  time.Time        // when the first generation of this shard began
	texts    [textSlots]texts // by the generation in which they arrived
	observed observedIDs

	alerts        map[store.GroupID][]*openAlert // by group, in order of time
	timers        []*openAlert                   // alerts that time alone will change
	droppedTimers int                            // of those, how many are dropped

	journal *Journal     // nil: nothing outlives a restart
	unsaved []*openAlert // to be recorded there
	replay  *Replay      // while what happened before a restart is replayed

	// generationOffset is how much earlier than in the first shard generations end: so that
	// one call never waits for all shards to forget.
	generationOffset time.Duration
	evicted          int // groups, or parts of them, since the start

	held  *store.Held   // interventions, and calls that wait for one; nil: everything counts
	taken []store.Event // memory for those that have waited
}

// textSlots is more than [Generations], and divides 256, modulo which an event knows its
// generation.
const textSlots = 8

// countList counts the events of one shard, and notes which of them are no repeats.
func (b *batch) countList(u *groupUpdate, events []Event, first int32) {
	b.added, b.calls = b.added[:0], 0
	all := u.rule.AfterIntervention <= 0
	for i := first; i >= 0; i = b.prepared[i].Next {
		if all {
			if u.count(&events[i], &b.prepared[i]) {
				b.added = append(b.added, addition{i, addedCounted})
				b.calls++
			}
		} else if as := u.observe(&events[i], &b.prepared[i]); as != 0 {
			b.added = append(b.added, addition{i, as})
			if as != addedIntervention {
				b.calls++
			}
		}
		for len(u.causes) < len(u.emitted) {
			u.causes = append(u.causes, i)
		}
	}
}

// count counts one event. It reports false for a repeat.
func (u *groupUpdate) count(e *Event, p *store.Prepared) bool {
	s := u.shard
	p.Profile, p.Generation = s.profiles.number(e), uint8(s.generation)
	at := s.store.Locate(p)
	if s.freeInserts--; s.freeInserts < 0 {
		at = u.makeRoom(at, p)
	}
	if e.IDOnly && !s.observed.add(p.Hash, p.ID, s.generation) {
		return false
	}
	if p.Flags&store.EventUUID == 0 {
		p.Text = s.keepText(e.RequestID)
	}
	g, bucket, added := s.store.Insert(at, p)
	if bucket == 0 { // a repeat, or no window can alert
		return added
	}
	u.group, u.key = g, e.Key
	u.check(bucket, &p.Event)
	return true
}

// keepText keeps a text if there is room, and returns where it lies.
func (s *shard) keepText(text string) uint32 {
	if !s.hasTextRoom() {
		return 0
	}
	return s.texts[s.generation%textSlots].add(text)
}

// advance moves on to the generation that now belongs to, and forgets what arrived too many
// of them ago. Time that runs backwards changes nothing.
func (s *shard) advance(now time.Time) {
	if now.Before(s.ends) { // as usual
		return
	}
	if s.started.IsZero() {
		s.started = now.Add(-s.generationOffset)
	}
	present := s.rule.generationOf(int64(now.Sub(s.started)))
	s.ends = s.started.Add(time.Duration(int64(present+1) * s.rule.generationLength()))
	for steps := 0; s.generation < present; steps++ {
		if s.generation++; steps == Generations { // nothing is left of what ages
			s.generation, s.texts = present, [textSlots]texts{}
		}
		s.texts[s.generation%textSlots] = nil // whoever could refer to one is forgotten
		s.forget(now)
	}
}

// forget forgets what arrived [Generations] ago, and alerts that nothing can belong to any
// more.
func (s *shard) forget(now time.Time) {
	s.store.Advance(s.generation, s.markIncomplete)
	if s.held != nil {
		s.held.Advance(s.generation)
	}
	if s.generation < Generations {
		return
	}
	s.observed.expire(s.generation - Generations)
	for g := range s.alerts {
		s.expireAlerts(g, now)
	}
}
