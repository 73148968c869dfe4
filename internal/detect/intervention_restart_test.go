// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// durable is a detector with its journal's pages.
type durable struct {
	*Detector
	t       *testing.T
	journal *Journal
	pages   map[uint64]Page
}

func newDurable(t *testing.T, rule Rule) *durable {
	d := &durable{t: t, Detector: New(rule), pages: map[uint64]Page{}}
	journal, replay := d.EnableJournal()
	replay.End(running(0), 1)
	d.journal = journal
	return d
}

func (d *durable) save() {
	pages, _ := d.journal.Drain(nil)
	for _, page := range pages {
		d.pages[page.Number] = page
	}
}

// deleteBefore deletes the pages of generations that are over, as a storage does.
func (d *durable) deleteExpired(now time.Time) {
	d.Checkpoint(now)
	d.save()
	for number, page := range d.pages {
		if d.journal.Generation(page.Arrived)+Generations <= d.journal.Generation(now.UnixNano()) {
			delete(d.pages, number)
		}
	}
}

// restart replays the journal into a detector of a rule.
func (d *durable) restart(rule Rule, now time.Time) {
	d.save()
	d.Detector = New(rule)
	journal, replay := d.EnableJournal()
	last := uint64(0)
	for number := range d.pages {
		last = max(last, number)
	}
	for number := range last {
		if page, ok := d.pages[number+1]; ok {
			require.NoError(d.t, replay.Page(page))
		}
	}
	require.Empty(d.t, replay.End(now, last+1))
	require.NoError(d.t, d.Consistent())
	d.journal = journal
}

// Calls that wait, and interventions, survive a restart, also when the journal is compacted.
func TestWaitingCallsSurviveARestart(t *testing.T) {
	for name, compact := range map[string]bool{"whole": false, "compacted": true} {
		t.Run(name, func(t *testing.T) {
			rule := afterMinute(1)
			rule.KeepAlive = 0
			d := newDurable(t, rule)
			restart := func() {
				if compact {
					d.journal.seal(0, running(0))
					d.save()
					for number, page := range d.pages {
						compacted, err := d.Compact(page)
						require.NoError(t, err)
						d.pages[number] = compacted
					}
					d.Checkpoint(running(0)) // the alerts, which that has removed
				}
				d.restart(rule, running(0))
			}
			late := at("alice", "3", noon)
			late.IDOnly = true
			observe(d.Detector, running(0), at("alice", "1", noon), late)
			observe(d.Detector, running(0), blocked("bob", "0", noon.Add(-time.Second)))
			restart()
			restart()
			again := d.Observe([]Event{at("alice", "1", noon), late, blocked("bob", "0", noon.Add(-time.Second))}, running(0))
			assert.Equal(t, Result{Repeats: 3}, again)
			emitted := observe(d.Detector, running(0), blocked("alice", "0", noon.Add(-time.Second)), at("bob", "1", noon), at("bob", "2", noon))
			require.Len(t, emitted, 2)
			for _, a := range emitted {
				assert.Equal(t, 2, a.Count)
				assert.Equal(t, &Intervention{Time: noon.Add(-time.Second).UnixNano(), RequestID: "0", GuardrailID: "guardrail of 0"}, a.Intervention)
			}
			restart()
			observe(d.Detector, running(0), at("bob", "3", noon.Add(1)), blocked("bob", "between", noon.Add(-1)))
			restart()
			closed := d.Tick(running(time.Hour))
			require.Len(t, closed, 2)
			for i := range closed {
				assert.Equal(t, "0", closed[i].Intervention.RequestID)
			}
			assert.Equal(t, 5, closed[0].Count+closed[1].Count)
		})
	}
}

// What has been counted stays counted after a restart when the intervention before it is
// forgotten already, and its page deleted.
func TestCountedCallOutlivesItsIntervention(t *testing.T) {
	rule := afterMinute(2)
	d := newDurable(t, rule)
	late := running(rule.remembered() - time.Minute)
	observe(d.Detector, running(0), blocked("alice", "0", noon))
	observe(d.Detector, late, at("alice", "1", noon.Add(1)), at("alice", "2", noon.Add(2)))
	now := running(rule.remembered() * 3 / 2)
	d.Tick(now)
	d.deleteExpired(now)
	require.Zero(t, d.Stats().Held)
	d.restart(rule, now)
	assert.Equal(t, 1, d.Stats().Groups)
	assert.Len(t, observe(d.Detector, now, blocked("alice", "00", noon.Add(2)), at("alice", "3", noon.Add(3))), 1)
}

// A call that has waited is forgotten when it would have been without that, in the storage as in
// memory: a restart changes no alert.
func TestCallThatWaitedIsForgottenByItsOwnArrival(t *testing.T) {
	rule := afterMinute(1)
	for _, restarted := range []bool{false, true} {
		d := newDurable(t, rule)
		observe(d.Detector, running(0), at("alice", "1", noon))
		late := running(rule.remembered() - time.Minute)
		observe(d.Detector, late, blocked("alice", "0", noon.Add(-1)))
		require.Equal(t, 1, d.Stats().Groups)
		now := running(rule.remembered() * 3 / 2)
		d.Tick(now)
		d.deleteExpired(now)
		if restarted {
			d.restart(rule, now)
		}
		assert.Zero(t, d.Stats().Groups)
		assert.Empty(t, observe(d.Detector, now, at("alice", "2", noon)))
		assert.Equal(t, 1, d.Stats().Held)
	}
}

// A journal can be read for a rule that does not count after interventions any more, and for one
// that has begun to.
func TestJournalIsReadWhenAfterInterventionChanges(t *testing.T) {
	without := afterMinute(1)
	without.AfterIntervention = 0
	d := newDurable(t, afterMinute(1))
	observe(d.Detector, running(0), at("alice", "1", noon), blocked("alice", "0", noon.Add(time.Second)))
	d.restart(without, running(0))
	assert.Len(t, observe(d.Detector, running(0), at("alice", "2", noon)), 1, "what has waited counts")

	d = newDurable(t, without)
	observe(d.Detector, running(0), at("alice", "1", noon))
	d.restart(afterMinute(1), running(0))
	assert.Empty(t, observe(d.Detector, running(0), at("alice", "2", noon)))
	assert.Len(t, observe(d.Detector, running(0), blocked("alice", "0", noon.Add(-1))), 1, "what was counted still is")
}
