// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"runtime"
	"slices"
	"sort"
	"sync"
	"time"
)

// Replay makes a new detector stand where another stood, from the pages of that
// one's journal. Events of all pages give the same buckets in any order; how alerts
// stand is taken from their latest entries.
//
// Pages are read by the caller while events of earlier ones are counted, by as many
// goroutines as there are cores, each for shards of its own.
type Replay struct {
	detector *Detector
	alerts   map[alertName]alertEntry // the latest of each
	limiter  *limiterEntry            // the latest
	alerting map[string][]int64       // buckets that alert, by group, as of the latest checkpoint
	events   int
	read     []recalled // that are to be counted next
	counting []recalled // that are being counted
	counters sync.WaitGroup

	mu   sync.Mutex           // guards what follows
	keys map[groupHash]string // of groups with a bucket that alerts
}

// recalled is an event that was read.
type recalled struct {
	eventEntry
	hash    groupHash
	arrived int64 // running time, in nanoseconds
}

// recallAtOnce is how many events are handed over at once.
const recallAtOnce = 4096

// alertName is what an alert is told from others by.
type alertName struct {
	key    string
	opened int64
}

// Keep makes the detector, which must be new, keep a journal. Its present must be
// running time from here on: time.Unix(0, n) for the n-th nanosecond for which
// there was a detector of the rule. What the detector must know from before is put
// in with Page; End ends that.
func (d *Detector) Keep() (*Journal, *Replay) {
	journal := &Journal{rule: &d.rule, number: 1}
	d.journal = journal
	replay := &Replay{
		detector: d, alerts: map[alertName]alertEntry{}, alerting: map[string][]int64{}, keys: map[groupHash]string{},
	}
	for i := range d.shards {
		s := &d.shards[i]
		s.started = time.Unix(0, 0).Add(-s.lead)
		s.journal, s.replay = journal, replay
	}
	return journal, replay
}

// Events tells how many events were put in so far.
func (r *Replay) Events() int { return r.events }

// Page puts in a page, the older pages before. A page that is not what a journal
// writes is an error; what it holds before the fault is put in.
func (r *Replay) Page(page Page) error {
	d := r.detector
	p := readPage(page)
	for len(p.rest) > 0 {
		kind, entry := p.next()
		if err := p.err(); err != nil {
			return err
		}
		switch kind {
		case entryEvent:
			r.events++
			hash := d.hasher.groupString(entry.event.key)
			if r.read = append(r.read, recalled{entry.event, hash, p.present}); len(r.read) == recallAtOnce {
				r.count()
			}
		case entryAlert:
			r.alerts[alertName{entry.alert.key, entry.alert.opened}] = entry.alert
		case entryBuckets:
			r.alerting[entry.buckets.key] = entry.buckets.indexes
		case entryLimiter:
			latest := entry.limiter // the reader writes over its own
			r.limiter = &latest
		}
	}
	return nil
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
				if number := e.hash.shard(); number%workers == worker {
					r.detector.shards[number].recall(e)
				}
			}
		})
	}
}

// recall counts an event of a journal.
func (s *shard) recall(e *recalled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arrived := time.Unix(0, e.arrived)
	s.turn(arrived)
	event := Event{
		Time:     e.time,
		IDOnly:   e.flags&journalIDOnly != 0,
		Presumed: e.flags&journalPresumed != 0,
		Model:    e.model, Operation: e.operation, Region: e.region,
	}
	if e.flags&journalRequestID != 0 {
		event.RequestID = e.text
	}
	p := prepared{hash: e.hash}
	p.id, p.flags = s.entryID(&e.eventEntry)
	c := change{shard: s, now: arrived}
	if c.count(&event, &p); c.raised {
		s.replay.mu.Lock()
		s.replay.keys[e.hash] = e.key
		s.replay.mu.Unlock()
	}
}

// End ends the putting in, at a present that is not before any page's, and numbers
// the journal's next page. It returns alerts that are due and were never told: there
// are none unless entries are missing.
func (r *Replay) End(now time.Time, nextPage uint64) []Alert {
	r.count()
	r.counters.Wait()
	d := r.detector
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		s.turn(now)
		s.replay = nil
		s.mu.Unlock()
	}
	d.journal.mu.Lock()
	d.journal.number = nextPage
	d.journal.mu.Unlock()
	if r.limiter != nil {
		d.limiter.restore(r.limiter)
	}
	for _, entry := range r.alerts {
		if !entry.dropped {
			s, hash := d.shardOf(entry.key)
			s.mu.Lock()
			s.restoreAlert(hash, entry)
			s.mu.Unlock()
		}
	}
	for key, indexes := range r.alerting {
		s, hash := d.shardOf(key)
		s.mu.Lock()
		s.restoreAlerting(hash, indexes)
		s.mu.Unlock()
	}
	return r.untold(now)
}

// restoreAlerting has buckets alert that lie in an alert.
func (s *shard) restoreAlerting(hash groupHash, indexes []int64) {
	c := change{shard: s, group: s.findGroup(hash)}
	if c.group == 0 {
		return
	}
	for _, index := range indexes {
		if n, _ := s.find(c.group, index); n != 0 && c.home(index) != nil {
			s.buckets.at(n).flags |= bucketAlerts
		}
	}
}

// restoreAlert puts an alert in its place among its group's.
func (s *shard) restoreAlert(hash groupHash, a alertEntry) {
	g := s.groupOf(hash)
	s.sortLoose(g, s.groups.at(g))
	if s.alerts == nil {
		s.alerts = map[uint32][]*openAlert{}
	}
	list := s.alerts[g]
	at := sort.Search(len(list), func(i int) bool { return list[i].first > a.first })
	fresh := a.openAlert
	s.alerts[g] = slices.Insert(list, at, &fresh)
	s.groups.at(g).flags |= groupAlerts
	s.alertBytes += fresh.bytes()
	if !fresh.closed || fresh.corrected {
		s.settleLater(&fresh)
	}
}

// untold raises the alerts of buckets that alert without lying in one.
func (r *Replay) untold(now time.Time) (told []Alert) {
	keys := make([]string, 0, len(r.keys))
	for _, key := range r.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)                    // for the same order each time
	dropped := map[string][]*openAlert{} // of groups that were evicted
	for name, entry := range r.alerts {
		if entry.dropped {
			dropped[name.key] = append(dropped[name.key], &entry.openAlert)
		}
	}
	for _, key := range keys {
		s, hash := r.detector.shardOf(key)
		s.mu.Lock()
		if g := s.findGroup(hash); g != 0 {
			c := change{shard: s, limiter: &r.detector.limiter, group: g, key: []byte(key), now: now, told: told}
			c.raiseUntold(dropped[key])
			told = c.told
		}
		r.detector.journal.enter(s, &r.detector.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	return told
}

// raiseUntold raises what alerts without lying in an alert. What lay in one that was
// dropped is not raised again before something is added to it.
func (c *change) raiseUntold(dropped []*openAlert) {
	var homeless []uint32
	for n := c.groups.at(c.group).first; n != 0; n = c.buckets.at(n).next {
		b := c.buckets.at(n)
		if b.flags&bucketAlerts == 0 || c.home(b.index) != nil {
			continue
		}
		b.flags &^= bucketAlerts
		if !slices.ContainsFunc(dropped, func(a *openAlert) bool { return a.overlaps(b.index, b.index) }) {
			homeless = append(homeless, n)
		}
	}
	slices.SortFunc(homeless, func(a, b uint32) int {
		return cmp.Compare(c.buckets.at(a).index, c.buckets.at(b).index)
	})
	for _, n := range homeless {
		if c.buckets.at(n).flags&bucketAlerts == 0 {
			c.detect(n, c.events(n)[0].time)
		}
	}
}

func (d *Detector) shardOf(key string) (*shard, groupHash) {
	hash := d.hasher.groupString(key)
	return &d.shards[hash.shard()], hash
}

// alerting gives a group's buckets that alert.
func (s *shard) alerting(g uint32) (indexes []int64) {
	for n := s.groups.at(g).first; n != 0; n = s.buckets.at(n).next {
		if b := s.buckets.at(n); b.flags&bucketAlerts != 0 {
			indexes = append(indexes, b.index)
		}
	}
	return indexes
}

// Checkpoint enters all alerts into the journal again, with the buckets that alert
// and how far the limit is used, so that older pages can be forgotten.
func (d *Detector) Checkpoint(now time.Time) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for g, list := range s.alerts {
			for _, a := range list {
				s.save(a)
			}
			// Of a bucket that alerts, so few events may be left that this could not be told by them.
			d.journal.enterBuckets(list[0].key, s.alerting(g), now)
		}
		d.journal.enter(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	d.saveLimit(now)
}
