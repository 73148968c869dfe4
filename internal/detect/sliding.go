// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sort"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// checkSliding looks whether an event at t makes its bucket or the next one alert: windows
// that end at the event, or less than a size after it, hold one event more than before.
func (u *groupUpdate) checkSliding(bucket store.BucketID, t int64) {
	for _, n := range [...]store.BucketID{bucket, u.store.Next(bucket)} {
		if n == 0 || u.store.Bucket(n).Alerting {
			continue
		}
		if from, end, crossed := u.crossedWindow(n, t); crossed {
			u.raise(n, n, from, end)
		}
	}
}

// crossedWindow returns the first and the last event time of a window that ends in a bucket,
// at an event from t on and less than a size after it, and holds more than the threshold. The
// bucket does not alert yet, so it holds at most the threshold of events and the new one,
// which bounds the search.
func (s *shard) crossedWindow(bucket store.BucketID, t int64) (from, end int64, crossed bool) {
	size := int64(s.rule.Size)
	events := s.store.EventsOf(bucket)
	var before []store.Event
	if previous := s.store.Previous(bucket); previous != 0 {
		before = s.store.EventsOf(previous)
	}
	if len(before)+len(events) <= s.rule.Threshold { // as usual
		return 0, 0, false
	}
	for i := store.CountBefore(events, t); i < len(events); i++ {
		end := events[i].Time
		if i+1 < len(events) && events[i+1].Time == end {
			continue
		}
		if end-t >= size {
			break
		}
		outside := sort.Search(len(before), func(i int) bool { return end-before[i].Time < size })
		if i+1+len(before)-outside > s.rule.Threshold {
			from = events[0].Time
			if outside < len(before) {
				from = before[outside].Time
			}
			return from, end, true
		}
	}
	return 0, 0, false
}
