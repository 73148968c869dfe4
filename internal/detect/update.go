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

// groupUpdate is what an event changes in the alerts of its group. It is used for all events
// of a batch in turn.
type groupUpdate struct {
	*shard
	limiter *limiter
	group   store.GroupID
	key     []byte // of the group
	now     time.Time
	emitted []Alert
	causes  []int32 // of each, the number of the event that caused it in its batch
	raised  bool    // during a replay: a bucket has begun to alert

	// incomplete: another event of the group and of that time is counted next. Nothing is emitted
	// before, so that alerts do not depend on how events of one time are ordered.
	incomplete bool
}

// check counts an event that was put into a bucket in the alerts of its group, and looks
// whether it makes a bucket alert.
func (u *groupUpdate) check(bucket store.BucketID, e *store.Event) {
	if u.store.Pinned(u.group) {
		u.addToAlerts(bucket, e)
	}
	if !u.incomplete {
		u.checkWindows(bucket, e.Time)
	}
	u.boundAlerts()
}

// checkWindows looks whether an event at t, in a bucket, makes a bucket alert.
func (u *groupUpdate) checkWindows(bucket store.BucketID, t int64) {
	switch u.rule.Window {
	case Sliding:
		u.checkSliding(bucket, t)
	case Tumbling:
		u.checkTumbling(bucket)
	case Session:
		u.checkSession(bucket)
	}
}

// raise makes the buckets from one to another alert, because they hold a window with the
// events from one time to another.
func (u *groupUpdate) raise(firstBucket, lastBucket store.BucketID, from, to int64) {
	lo, hi := u.store.Bucket(firstBucket).Index, u.store.Bucket(lastBucket).Index
	if fresh := u.markAlerting(firstBucket, lastBucket); u.replay != nil { // the journal says what became of it
		u.raised = u.raised || fresh
		return
	} else if !fresh && u.alertContaining(u.group, lo) == u.alertContaining(u.group, hi) {
		return // nothing new: the event is counted already
	}
	a := u.extendAlert(lo, hi)
	if a == nil {
		a = u.open(lo, hi, from, to)
	}
	// The rest of the buckets belongs to the alert as well.
	first, last := u.store.EventsOf(firstBucket), u.store.EventsOf(lastBucket)
	u.include(a, min(from, first[0].Time), max(to, last[len(last)-1].Time))
	u.noteChange(a)
}

// markAlerting marks the buckets from one to another as alerting, and reports whether one of
// them was not.
func (u *groupUpdate) markAlerting(first, last store.BucketID) (fresh bool) {
	for n := first; ; n = u.store.Next(n) {
		b := u.store.Bucket(n)
		fresh = fresh || !b.Alerting
		b.Alerting = true
		if n == last {
			return fresh
		}
	}
}

// open opens an alert and emits it, unless it exceeds the limit.
func (u *groupUpdate) open(lo, hi, from, to int64) *openAlert {
	a := &openAlert{Alert: journal.Alert{
		Key:         string(u.key),
		Opened:      lo * int64(u.rule.Size),
		FirstBucket: lo, LastBucket: hi,
		FirstTime: from, LastTime: to,
		Changed:    u.now,
		Suppressed: !u.limiter.admit(u.now),
	}}
	if u.rule.Window == Session {
		a.Opened = from
	}
	if u.held != nil {
		a.Intervention = u.interventionBefore(u.hasher.group(u.key), from)
	}
	a.Count, a.Presumed, a.Inexact = u.countBetween(u.group, from, to)
	u.addAlert(u.group, a)
	u.addTimer(a)
	u.emit(a, Open)
	return a
}

// emit adds a record of an alert, unless it is suppressed.
func (u *groupUpdate) emit(a *openAlert, state State) {
	if !a.Suppressed {
		u.emitted = append(u.emitted, u.report(u.group, a, state))
	}
}

// extendAlert extends the alert that buckets belong to, and returns it: the one that they lie
// in, or else one that is open, near enough and not too long. Two alerts that the buckets
// connect become one. It returns nil when there is none.
func (u *groupUpdate) extendAlert(lo, hi int64) *openAlert {
	a := u.mergeMatching(lo, hi, nil, func(other *openAlert) bool { return other.overlaps(lo, hi) })
	if a != nil && a.contains(lo, hi) {
		return a // as it was, so no nearer to another
	}
	if a != nil {
		a.extend(lo, hi)
		lo, hi = a.FirstBucket, a.LastBucket
	}
	a = u.mergeMatching(lo, hi, a, func(other *openAlert) bool {
		return other != a && other.accepts(u.rule, u.now) &&
			u.rule.continues(other.LastBucket, lo) && u.rule.continues(hi, other.FirstBucket) &&
			u.rule.allows(min(other.FirstBucket, lo), max(other.LastBucket, hi))
	})
	if a == nil {
		u.closeBefore(lo)
		return nil
	}
	a.extend(lo, hi)
	// Alerts do not overlap: one that is closed may have been swallowed whole.
	for _, other := range slices.Clone(u.alerts[u.group]) {
		if other != a && !other.Dropped && other.overlaps(a.FirstBucket, a.LastBucket) {
			a = u.merge(a, other)
		}
	}
	return a
}

// mergeMatching makes one alert of a, which may be nil, and of those of the group that match,
// as far as that does not exceed the maximum duration.
func (u *groupUpdate) mergeMatching(lo, hi int64, a *openAlert, match func(*openAlert) bool) *openAlert {
	for _, other := range slices.Clone(u.alerts[u.group]) {
		switch {
		case !match(other):
		case a == nil:
			a = other
		case other.overlaps(lo, hi) || u.rule.allows(
			min(a.FirstBucket, other.FirstBucket, lo), max(a.LastBucket, other.LastBucket, hi)):
			a = u.merge(a, other)
		}
	}
	return a
}

// merge makes one alert of two and returns it. The later one is closed, unless the earlier is
// closed or was suppressed.
func (u *groupUpdate) merge(a, b *openAlert) *openAlert {
	if b.Opened < a.Opened {
		a, b = b, a
	}
	if a.Closed && !b.Closed || a.Suppressed && !b.Suppressed {
		a, b = b, a
	}
	switch {
	case a.LastTime < b.FirstTime:
		u.include(a, a.FirstTime, b.FirstTime-1)
	case b.LastTime < a.FirstTime:
		u.include(a, b.LastTime+1, a.LastTime)
	default: // some events are in both
		count, presumed, inexact := u.countBetween(u.group, max(a.FirstTime, b.FirstTime), min(a.LastTime, b.LastTime))
		a.Count, a.Presumed, a.Inexact = a.Count-count, a.Presumed-presumed, a.Inexact || inexact
	}
	a.Count, a.Presumed, a.Inexact = a.Count+b.Count, a.Presumed+b.Presumed, a.Inexact || b.Inexact
	a.FirstTime, a.LastTime = min(a.FirstTime, b.FirstTime), max(a.LastTime, b.LastTime)
	a.extend(b.FirstBucket, b.LastBucket)
	if a.Changed.Before(b.Changed) {
		a.Changed = b.Changed
	}
	if !b.Suppressed {
		record := u.report(u.group, b, Closed)
		record.Merged, record.MergedInto = true, a.Opened
		u.emitted = append(u.emitted, record)
	}
	b.Closed = true
	u.dropAlert(b)
	u.alerts[u.group] = slices.DeleteFunc(u.alerts[u.group], func(other *openAlert) bool { return other == b })
	return a
}

// closeBefore closes the open alert that buckets follow without belonging to it: it has its
// maximum duration.
func (u *groupUpdate) closeBefore(lo int64) {
	for _, a := range u.alerts[u.group] {
		if a.LastBucket < lo && a.accepts(u.rule, u.now) && u.rule.continues(a.LastBucket, lo) {
			a.Closed, a.Corrected = true, false
			u.save(a)
			u.emit(a, Closed)
		}
	}
}

// addToAlerts counts an event that was just put into a bucket in the alerts that it belongs
// to, by its time or by its bucket.
func (u *groupUpdate) addToAlerts(bucket store.BucketID, e *store.Event) {
	b := u.store.Bucket(bucket)
	alerts := u.alerts[u.group]
	// Alerts do not share buckets, but one may begin in the bucket before its first.
	i := sort.Search(len(alerts), func(i int) bool { return alerts[i].LastBucket >= b.Index })
	for ; i < len(alerts) && alerts[i].FirstBucket <= b.Index+1; i++ {
		a := alerts[i]
		switch {
		case a.FirstTime <= e.Time && e.Time <= a.LastTime:
			if u.store.MayRepeatDiscarded(bucket, e) {
				a.Inexact = true // and the count a lower bound
				break
			}
			a.Count++
			if e.Flags&store.EventPresumed != 0 {
				a.Presumed++
			}
		case a.FirstBucket <= b.Index && b.Alerting:
			u.include(a, min(a.FirstTime, e.Time), max(a.LastTime, e.Time))
		default:
			continue
		}
		u.noteChange(a)
	}
}

// include lets an alert span more time, and counts the events there.
func (u *groupUpdate) include(a *openAlert, from, to int64) {
	if from < a.FirstTime {
		u.addBetween(a, from, a.FirstTime-1)
		a.FirstTime = from
	}
	if to > a.LastTime {
		u.addBetween(a, a.LastTime+1, to)
		a.LastTime = to
	}
}

func (u *groupUpdate) addBetween(a *openAlert, from, to int64) {
	count, presumed, inexact := u.countBetween(u.group, from, to)
	a.Count += count
	a.Presumed += presumed
	a.Inexact = a.Inexact || inexact || a.Incomplete
}

// noteChange notes that an alert has changed, and emits it when it has grown tenfold.
func (u *groupUpdate) noteChange(a *openAlert) {
	a.Changed = u.now
	if a.Closed {
		a.Corrected = true
	}
	u.addTimer(a)
	u.save(a)
	if u.incomplete {
		return
	}
	limit := 10 * max(1, u.rule.Threshold)
	for range a.Escalations {
		limit *= 10
	}
	grown := false
	for ; a.Count > limit && a.Escalations < journal.MaxEscalations; limit *= 10 {
		a.Escalations++
		grown = true
	}
	if grown && !a.Closed {
		u.emit(a, Escalated)
	}
}
