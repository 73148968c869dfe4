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
		case isEvent(kind) && d.remembers(kind, &entries.Event):
			compacted.Arrive(entries.Arrived())
			group := compacted.Group([]byte(entries.Event.Key))
			switch kind {
			case journal.KindEvent:
				compacted.Event(group, &entries.Event)
			case journal.KindWaiting:
				compacted.Waiting(group, &entries.Event)
			default:
				compacted.Intervention(group, &entries.Event)
			}
		}
	}
}

func isEvent(kind journal.Kind) bool {
	return kind == journal.KindEvent || kind == journal.KindWaiting || kind == journal.KindIntervention
}

// remembers reports whether a repeat of an event would be recognised, as an entry of a kind.
func (d *Detector) remembers(kind journal.Kind, e *journal.Event) bool {
	s, hash := d.shard(e.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := store.Prepared{Event: s.storedEvent(e), Hash: hash}
	idOnly := e.Flags&journal.IDOnly != 0
	if kind == journal.KindIntervention {
		return idOnly && s.observed.has(hash, interventionID(p.ID)) || s.holds(store.HeldIntervention, &p)
	}
	return idOnly && s.observed.has(hash, p.ID) || s.counted(&p) || s.holds(store.HeldCall, &p)
}
