// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// Checkpoint records all alerts in the journal again, with the buckets that alert and how far
// the limit is used, so that older pages can be deleted.
func (d *Detector) Checkpoint(now time.Time) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for g, alerts := range s.alerts {
			for _, a := range alerts {
				s.save(a)
			}
			// Too few events of a bucket may be left to find out again that it alerts.
			d.journal.recordAlerting(alerts[0].Key, s.alertingBuckets(g), now)
		}
		d.journal.record(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	d.recordLimit(now)
}

// alertingBuckets returns the indexes of a group's buckets that alert.
func (s *shard) alertingBuckets(g store.GroupID) (indexes []int64) {
	for n := range s.store.Buckets(g) {
		if b := s.store.Bucket(n); b.Alerting {
			indexes = append(indexes, b.Index)
		}
	}
	return indexes
}

// Compact returns a page without what need not be known any more: events that are not
// remembered, because their group was evicted or their bucket discarded them, and all alerts
// and the use of the limit, which a [Detector.Checkpoint] since then has recorded again. If
// nothing is left, the body is empty. A page that cannot be read is returned as it is, with an
// error.
func (d *Detector) Compact(page Page) (Page, error) {
	var compacted journal.Writer
	compacted.Reset(page.Arrived)
	entries := journal.NewReader(page)
	for {
		switch kind, err := entries.Next(); {
		case err != nil:
			return page, err
		case kind == journal.End:
			return Page{Number: page.Number, Arrived: page.Arrived, Body: compacted.Body()}, nil
		case kind == journal.KindEvent && d.remembers(&entries.Event):
			compacted.Arrive(entries.Arrived())
			compacted.Event(compacted.Group([]byte(entries.Event.Key)), &entries.Event)
		}
	}
}

// remembers reports whether a repeat of an event would be recognised.
func (d *Detector) remembers(e *journal.Event) bool {
	s, hash := d.shard(e.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.storedEvent(e)
	if e.Flags&journal.IDOnly != 0 && s.observed.has(hash, stored.ID) {
		return true
	}
	g := s.store.FindGroup(hash)
	return g != 0 && s.store.Contains(g, &stored)
}
