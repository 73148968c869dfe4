// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"sort"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// openAlert is a run of alerting buckets that an analyst sees as one alert. It stays open
// after its first record until it is closed, and stays known after that, so that a late event
// finds it.
type openAlert struct {
	journal.Alert // all of it that outlives a restart

	hasTimer bool // is among shard.timers
	unsaved  bool // is among shard.unsaved
}

const (
	openAlertBytes    = 220 // about what one takes, with its places in lists and in the map
	interventionBytes = 64  // what its intervention takes in addition to names
)

// bytes returns the memory that the alert takes, except for its key, which the alerts of a
// group share.
func (a *openAlert) bytes() int64 {
	bytes := int64(openAlertBytes)
	if i := a.Intervention; i != nil {
		bytes += interventionBytes + int64(len(i.RequestID)+len(i.GuardrailID))
	}
	return bytes
}

// accepts reports whether the alert still takes buckets next to it.
func (a *openAlert) accepts(rule *Rule, now time.Time) bool {
	return rule.KeepAlive > 0 && !a.Closed && now.Sub(a.Changed) < rule.KeepAlive
}

// overlaps reports whether buckets are in the alert already: all of them or, of a session
// that has grown, some.
func (a *openAlert) overlaps(lo, hi int64) bool { return a.FirstBucket <= hi && lo <= a.LastBucket }

// contains reports whether all buckets are in the alert.
func (a *openAlert) contains(lo, hi int64) bool { return a.FirstBucket <= lo && hi <= a.LastBucket }

// extend lets the alert span more buckets.
func (a *openAlert) extend(lo, hi int64) {
	a.FirstBucket, a.LastBucket = min(a.FirstBucket, lo), max(a.LastBucket, hi)
}

// alertContaining returns the alert of a group that a bucket lies in, nil if there is none.
func (s *shard) alertContaining(g store.GroupID, index int64) *openAlert {
	alerts := s.alerts[g]
	i := sort.Search(len(alerts), func(i int) bool { return alerts[i].LastBucket >= index })
	if i < len(alerts) && alerts[i].FirstBucket <= index {
		return alerts[i]
	}
	return nil
}

// addAlert puts an alert in its place among its group's, which is pinned from now on.
func (s *shard) addAlert(g store.GroupID, a *openAlert) {
	s.store.Pin(g)
	if s.alerts == nil {
		s.alerts = map[store.GroupID][]*openAlert{}
	}
	alerts := s.alerts[g]
	if len(alerts) > 0 {
		a.Key = alerts[0].Key
	} else {
		s.alertBytes += int64(len(a.Key))
	}
	at := sort.Search(len(alerts), func(i int) bool { return alerts[i].FirstBucket > a.FirstBucket })
	s.alerts[g] = slices.Insert(alerts, at, a)
	s.alertBytes += a.bytes()
}

// expireAlerts drops a group's alerts that no event can belong to any more.
func (s *shard) expireAlerts(g store.GroupID, now time.Time) {
	key := s.alerts[g][0].Key
	alerts := slices.DeleteFunc(s.alerts[g], func(a *openAlert) bool {
		// Twice as long as an event is promised to be, so that none outlives its alert.
		if !a.Closed || a.Corrected || a.Suppressed && !a.Summarized || now.Sub(a.Changed) <= 2*s.rule.remembered() {
			return false
		}
		s.dropAlert(a)
		return true
	})
	if len(alerts) > 0 {
		s.alerts[g] = alerts
		return
	}
	s.forgetAlerts(g, key)
	s.store.Unpin(g)
}

// forgetAlerts forgets the list of a group's alerts, which were dropped.
func (s *shard) forgetAlerts(g store.GroupID, key string) {
	s.alertBytes -= int64(len(key))
	delete(s.alerts, g)
}

// alertBytesOf returns about how much memory a group's alerts take.
func (s *shard) alertBytesOf(g store.GroupID) int64 {
	alerts := s.alerts[g]
	if len(alerts) == 0 {
		return 0
	}
	return int64(len(alerts))*openAlertBytes + int64(len(alerts[0].Key))
}

// dropAlert forgets an alert, but does not take it out of its group's. Timers of dropped
// alerts are removed once they are half of all.
func (s *shard) dropAlert(a *openAlert) {
	s.alertBytes -= a.bytes()
	a.Dropped = true
	if s.save(a); !a.unsaved { // else the journal has yet to name it
		a.Key = ""
	}
	if !a.hasTimer {
		return
	}
	if s.droppedTimers++; 2*s.droppedTimers > len(s.timers) {
		s.timers = slices.DeleteFunc(s.timers, func(a *openAlert) bool { return a.Dropped })
		s.droppedTimers = 0
	}
}

// save has the journal record an alert with what is recorded next.
func (s *shard) save(a *openAlert) {
	if s.journal != nil && !a.unsaved {
		a.unsaved = true
		s.unsaved = append(s.unsaved, a)
	}
}

// markIncomplete notes that alerts which have not reached the time of a forgotten event yet
// will never count it.
func (s *shard) markIncomplete(g store.GroupID, t int64) {
	for _, a := range s.alerts[g] {
		if !a.Closed && (t < a.FirstTime || a.LastTime < t) {
			a.Incomplete = true
			s.save(a)
		}
	}
}
