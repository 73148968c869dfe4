// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "example.com/otelcol-guardrail/internal/detect/internal/store"

// session is a run of buckets whose events are at most a size apart.
type session struct {
	first, last store.BucketID // its outermost buckets that were looked at
	alerting    bool           // one of them alerts, so all of the session does
	count       int            // of events in them
}

// checkSession looks whether the session that a bucket is part of alerts.
func (u *groupUpdate) checkSession(bucket store.BucketID) {
	if found := u.sessionOf(bucket); found.alerting || found.count > u.rule.Threshold {
		first, last := u.store.EventsOf(found.first), u.store.EventsOf(found.last)
		u.raise(found.first, found.last, first[0].Time, last[len(last)-1].Time)
	}
}

// sessionOf returns the session that a bucket is part of, in both directions as far as a
// bucket that alerts: what lies beyond does so too. A part that does not alert has at most
// the threshold of events, which bounds the walk.
func (s *shard) sessionOf(bucket store.BucketID) session {
	found := session{first: bucket, last: bucket}
	found.add(s, bucket)
	for {
		previous := s.store.Previous(found.first)
		if previous == 0 || !s.connected(previous, found.first) {
			break
		}
		found.first = previous
		if found.add(s, previous) {
			break
		}
	}
	for {
		next := s.store.Next(found.last)
		if next == 0 || !s.connected(found.last, next) {
			break
		}
		found.last = next
		if found.add(s, next) {
			break
		}
	}
	return found
}

// add adds a bucket, and reports whether it alerts.
func (found *session) add(s *shard, bucket store.BucketID) bool {
	b := s.store.Bucket(bucket)
	found.count += b.Len()
	found.alerting = found.alerting || b.Alerting
	return b.Alerting
}

// connected reports whether two neighboring buckets are part of one session.
func (s *shard) connected(earlier, later store.BucketID) bool {
	before, after := s.store.EventsOf(earlier), s.store.EventsOf(later)
	return after[0].Time-before[len(before)-1].Time <= int64(s.rule.Size)
}
