// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "sort"

// sliding looks for a window that ends in the bucket, at an event from t on and
// less than a size behind it, and holds more than the threshold: those are the
// windows that an event at t has added to. The bucket does not alert yet, so it
// holds at most the threshold of events, all within one window of its last,
// which bounds the search.
func (s *shard) sliding(rule *Rule, n uint32, t int64) (from, end int64, crossed bool) {
	events := s.events(n)
	var before []event
	if n := s.before(n); n != 0 {
		before = s.events(n)
	}
	if len(before)+len(events) <= rule.Threshold { // as mostly
		return 0, 0, false
	}
	for i := notBefore(events, t); i < len(events); i++ {
		end := events[i].time
		if i+1 < len(events) && events[i+1].time == end {
			continue
		}
		if end-t >= int64(rule.Size) {
			break
		}
		outside := sort.Search(len(before), func(i int) bool { return end-before[i].time < int64(rule.Size) })
		if i+1+len(before)-outside > rule.Threshold {
			from = events[0].time
			if outside < len(before) {
				from = before[outside].time
			}
			return from, end, true
		}
	}
	return 0, 0, false
}

// session is a run of buckets whose events are at most a size apart.
type session struct {
	first, last uint32 // its outermost buckets that were looked at
	alerts      bool   // one of them alerts, so all of it does
	count       int
}

// sessionAt follows the session that a bucket is part of to both sides, up to a
// bucket that alerts: what lies behind that does so too. A part that does not
// alert has at most the threshold of events, which bounds the walk.
func (s *shard) sessionAt(rule *Rule, n uint32) session {
	run := session{first: n, last: n}
	run.take(s.buckets.at(n))
	for {
		next := s.before(run.first)
		if next == 0 || !s.connected(rule, next, run.first) {
			break
		}
		run.first = next
		if run.take(s.buckets.at(next)) {
			break
		}
	}
	for {
		next := s.after(run.last)
		if next == 0 || !s.connected(rule, run.last, next) {
			break
		}
		run.last = next
		if run.take(s.buckets.at(next)) {
			break
		}
	}
	return run
}

func (run *session) take(b *bucket) (alerts bool) {
	run.count += int(b.count)
	alerts = b.flags&bucketAlerts != 0
	run.alerts = run.alerts || alerts
	return alerts
}

// connected reports whether two neighbouring buckets are of one session.
func (s *shard) connected(rule *Rule, earlier, later uint32) bool {
	left, right := s.events(earlier), s.events(later)
	return right[0].time-left[len(left)-1].time <= int64(rule.Size)
}
