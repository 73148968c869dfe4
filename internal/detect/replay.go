// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// Replay makes a new detector continue where another was, from the pages of that one's
// journal. Events of all pages make the same buckets in any order; the state of an alert is
// taken from its latest entry.
//
// The caller reads pages while events of earlier ones are counted, by as many goroutines as
// there are cores, each for shards of its own.
type Replay struct {
	detector *Detector
	alerts   map[alertID]journal.Alert // the latest entry of each
	limiter  *journal.Limiter          // the latest entry
	alerting map[string][]int64        // alerting buckets by group, as of the latest checkpoint
	events   int
	read     []replayedEvent // to be counted next
	counting []replayedEvent // being counted
	counters sync.WaitGroup

	mu     sync.Mutex                 // guards what follows
	raised map[store.GroupHash]string // keys of groups with a bucket that began to alert
}

// replayedEvent is an event that was read.
type replayedEvent struct {
	journal.Event
	kind    journal.Kind
	hash    store.GroupHash
	arrived int64 // running time, in nanoseconds
}

// replayBatch is how many events are handed over at once.
const replayBatch = 4096

// alertID identifies an alert.
type alertID struct {
	key    string
	opened int64
}

// EnableJournal makes the detector, which must be new, keep a journal. Its present must be
// running time from then on: time.Unix(0, n) for the n-th nanosecond for which there was a
// detector of the rule. What the detector must know from before is put in with [Replay.Page],
// and [Replay.End] ends that.
func (d *Detector) EnableJournal() (*Journal, *Replay) {
	j := &Journal{rule: &d.rule, number: 1}
	d.journal = j
	replay := &Replay{
		detector: d,
		alerts:   map[alertID]journal.Alert{},
		alerting: map[string][]int64{},
		raised:   map[store.GroupHash]string{},
	}
	for i := range d.shards {
		s := &d.shards[i]
		s.started = time.Unix(0, 0).Add(-s.generationOffset)
		s.journal, s.replay = j, replay
	}
	return j, replay
}

// Events returns how many events were put in so far.
func (r *Replay) Events() int { return r.events }

// Page puts in a page. Older pages must be put in before. The error is a [CorruptError]; what
// the page holds before the fault is put in.
func (r *Replay) Page(page Page) error {
	entries := journal.NewReader(page)
	for {
		kind, err := entries.Next()
		if err != nil {
			return err
		}
		switch kind {
		case journal.End:
			return nil
		case journal.KindEvent, journal.KindWaiting, journal.KindIntervention:
			r.addEvent(kind, &entries.Event, entries.Arrived())
		case journal.KindAlert:
			r.alerts[alertID{entries.Alert.Key, entries.Alert.Opened}] = entries.Alert
		case journal.KindAlerting:
			r.alerting[entries.Alerting.Key] = entries.Alerting.Buckets
		case journal.KindLimiter:
			latest := entries.Limiter
			r.limiter = &latest
		}
	}
}

func (r *Replay) addEvent(kind journal.Kind, e *journal.Event, arrived int64) {
	r.events++
	r.read = append(r.read, replayedEvent{*e, kind, r.detector.hasher.groupString(e.Key), arrived})
	if len(r.read) == replayBatch {
		r.count()
	}
}

// count has the events counted that were read, once those before them are.
func (r *Replay) count() {
	r.counters.Wait()
	r.read, r.counting = r.counting[:0], r.read
	workers := min(shardCount, uint64(runtime.GOMAXPROCS(0)))
	for worker := range workers {
		r.counters.Go(func() {
			for i := range r.counting {
				e := &r.counting[i]
				if number := shardOf(e.hash); number%workers == worker {
					r.detector.shards[number].replayEvent(e)
				}
			}
		})
	}
}

// replayEvent counts an event of a journal.
func (s *shard) replayEvent(e *replayedEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arrived := time.Unix(0, e.arrived)
	s.advance(arrived)
	event := Event{
		Time:   e.Time,
		IDOnly: e.Flags&journal.IDOnly != 0,
		Kind:   e.Kind, Model: e.Model, Operation: e.Operation, Region: e.Region, GuardrailID: e.GuardrailID,
	}
	if e.Flags&journal.IsRequestID != 0 {
		event.RequestID = e.Text
	}
	p := store.Prepared{Event: s.storedEvent(&e.Event), Hash: e.hash}
	u := groupUpdate{shard: s, now: arrived}
	switch {
	case e.kind == journal.KindEvent, e.kind == journal.KindWaiting && s.held == nil:
		u.count(&event, &p)
	case e.kind == journal.KindWaiting:
		u.addCall(&event, &p)
	case s.held != nil: // else the rule has AfterIntervention no longer
		u.addIntervention(&event, p)
	}
	if u.raised {
		s.replay.mu.Lock()
		s.replay.raised[e.hash] = e.Key
		s.replay.mu.Unlock()
	}
}

// End ends the replay, at a present that is not before any page's, and sets the number of the
// journal's next page. It returns alerts that are due and were never reported: there are none
// unless entries are missing.
func (r *Replay) End(now time.Time, nextPage uint64) []Alert {
	r.count()
	r.counters.Wait()
	d := r.detector
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		s.advance(now)
		s.store.PresumeDiscarded() // which compaction has dropped from the journal
		s.replay = nil
		s.mu.Unlock()
	}
	d.journal.mu.Lock()
	d.journal.number = nextPage
	d.journal.mu.Unlock()
	if r.limiter != nil {
		d.limiter.restore(*r.limiter)
	}
	for _, alert := range r.alerts {
		if !alert.Dropped {
			s, hash := d.shard(alert.Key)
			s.mu.Lock()
			s.restoreAlert(hash, alert)
			s.mu.Unlock()
		}
	}
	for key, buckets := range r.alerting {
		s, hash := d.shard(key)
		s.mu.Lock()
		s.restoreAlerting(hash, buckets)
		s.mu.Unlock()
	}
	return r.raiseUnreported(now)
}

// restoreAlert puts an alert in its place among its group's.
func (s *shard) restoreAlert(hash store.GroupHash, alert journal.Alert) {
	g := s.store.FindGroup(hash)
	if g == 0 {
		g = s.store.AddGroup(hash)
	}
	a := &openAlert{Alert: alert}
	s.addAlert(g, a)
	if !a.Closed || a.Corrected {
		s.addTimer(a)
	}
}

// restoreAlerting marks buckets as alerting that lie in an alert.
func (s *shard) restoreAlerting(hash store.GroupHash, buckets []int64) {
	g := s.store.FindGroup(hash)
	if g == 0 {
		return
	}
	for _, index := range buckets {
		if n := s.store.Find(g, index); n != 0 && s.alertContaining(g, index) != nil {
			s.store.Bucket(n).Alerting = true
		}
	}
}

// raiseUnreported raises the alerts of buckets that alert without lying in one.
func (r *Replay) raiseUnreported(now time.Time) (emitted []Alert) {
	dropped := map[string][]*openAlert{} // of groups that were evicted
	for id, alert := range r.alerts {
		if alert.Dropped {
			dropped[id.key] = append(dropped[id.key], &openAlert{Alert: alert})
		}
	}
	for _, key := range slices.Sorted(maps.Values(r.raised)) { // in the same order each time
		s, hash := r.detector.shard(key)
		s.mu.Lock()
		if g := s.store.FindGroup(hash); g != 0 {
			u := groupUpdate{shard: s, limiter: &r.detector.limiter, group: g, key: []byte(key), now: now, emitted: emitted}
			u.raiseUnreported(dropped[key])
			emitted = u.emitted
		}
		r.detector.journal.record(s, &r.detector.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	return emitted
}

// raiseUnreported raises what alerts without lying in an alert. What lay in one that was
// dropped is not raised again before something is added to it.
func (u *groupUpdate) raiseUnreported(dropped []*openAlert) {
	var unreported []store.BucketID
	for n := range u.store.Buckets(u.group) {
		b := u.store.Bucket(n)
		if !b.Alerting || u.alertContaining(u.group, b.Index) != nil {
			continue
		}
		b.Alerting = false
		if !slices.ContainsFunc(dropped, func(a *openAlert) bool { return a.overlaps(b.Index, b.Index) }) {
			unreported = append(unreported, n)
		}
	}
	slices.SortFunc(unreported, func(a, b store.BucketID) int {
		return cmp.Compare(u.store.Bucket(a).Index, u.store.Bucket(b).Index)
	})
	for _, n := range unreported {
		if !u.store.Bucket(n).Alerting {
			u.checkWindows(n, u.store.EventsOf(n)[0].Time)
		}
	}
}
