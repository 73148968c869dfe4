// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"sort"
	"time"
)

// openAlert is a run of alerting buckets that an analyst sees as one alert. It
// stays open after its first record until it is closed, and stays known after
// that, so that a late event finds it.
type openAlert struct {
	key         string // of the group
	opened      int64  // start of the bucket that opened it (session: its first event then); never changes
	first, last int64  // its outermost buckets

	from, to        int64 // event times of the first and last event counted
	count, presumed int
	inexact         bool // some events could not be counted any more
	lossy           bool // events near it were forgotten before it reached them

	escalations int       // how many were told
	changed     time.Time // when it last took in an event
	closed      bool
	corrected   bool // by an event since it was closed
	muted       bool // over the limit: never told by itself
	summed      bool // told by an overflow
	waiting     bool // is among shard.unsettled
	unsaved     bool // is among shard.unsaved
	dropped     bool // nothing knows it any more
}

const openAlertBytes = 220 // about what one takes besides its key, its places in lists and the map included

func (a *openAlert) bytes() int64 { return openAlertBytes + int64(len(a.key)) }

// change is what one event does to the alerts of its group.
type change struct {
	*shard
	limiter *limiter
	group   uint32
	key     []byte
	now     time.Time
	told    []Alert
	causes  []int32 // of each, the place in its batch of the event that caused it
	raised  bool    // during a replay: a bucket has begun to alert
}

// alert makes the buckets from one to another alert, which hold a window with the
// events from one time to another.
func (c *change) alert(firstBucket, lastBucket uint32, from, to int64) {
	lo, hi := c.buckets.at(firstBucket).index, c.buckets.at(lastBucket).index
	fresh := false
	for n := firstBucket; ; n = c.after(n) {
		b := c.buckets.at(n)
		fresh = fresh || b.flags&bucketAlerts == 0
		b.flags |= bucketAlerts
		if n == lastBucket {
			break
		}
	}
	if c.replay != nil { // what became of it is told apart
		c.raised = c.raised || fresh
		return
	}
	if !fresh && c.home(lo) == c.home(hi) {
		return // nothing new: counted has seen to the event
	}
	a := c.join(lo, hi)
	if a == nil {
		a = c.begin(lo, hi, from, to)
	}
	// The rest of the buckets belongs to the alert as well.
	first, last := c.events(firstBucket), c.events(lastBucket)
	c.widen(a, min(from, first[0].time), max(to, last[len(last)-1].time))
	c.touch(a)
}

// home gives the alert that a bucket lies in.
func (c *change) home(index int64) *openAlert {
	list := c.alerts[c.group]
	i := sort.Search(len(list), func(i int) bool { return list[i].last >= index })
	if i < len(list) && list[i].first <= index {
		return list[i]
	}
	return nil
}

// join finds the alert that buckets belong to and gives them to it: the one that
// they lie in, or else one that is open, near enough and not too long. Where they
// bridge two alerts, one goes on for both. It returns nil when there is none.
func (c *change) join(lo, hi int64) *openAlert {
	home := c.gather(lo, hi, nil, func(a *openAlert) bool { return a.overlaps(lo, hi) })
	if home != nil && home.first <= lo && hi <= home.last {
		return home // as it was, so no nearer to another
	}
	if home != nil {
		home.first, home.last = min(home.first, lo), max(home.last, hi)
		lo, hi = home.first, home.last
	}
	home = c.gather(lo, hi, home, func(a *openAlert) bool {
		return a != home && a.open(c.rule, c.now) && c.rule.near(a.last, lo) && c.rule.near(hi, a.first) &&
			c.rule.fits(min(a.first, lo), max(a.last, hi))
	})
	if home == nil {
		c.closeBefore(lo)
		return nil
	}
	home.first, home.last = min(home.first, lo), max(home.last, hi)
	// Alerts lie apart: one that is closed may have been swallowed whole.
	for _, a := range slices.Clone(c.alerts[c.group]) {
		if a != home && !a.dropped && a.overlaps(home.first, home.last) {
			home = c.merge(home, a)
		}
	}
	return home
}

// gather makes one alert of those that belong to the buckets.
func (c *change) gather(lo, hi int64, home *openAlert, belongs func(*openAlert) bool) *openAlert {
	for _, a := range slices.Clone(c.alerts[c.group]) {
		switch {
		case !belongs(a):
		case home == nil:
			home = a
		case a.overlaps(lo, hi) || c.rule.fits(min(home.first, a.first, lo), max(home.last, a.last, hi)):
			home = c.merge(home, a)
		}
	}
	return home
}

// closeBefore closes the open alert that buckets follow without belonging to it:
// it spans its maximum.
func (c *change) closeBefore(lo int64) {
	for _, a := range c.alerts[c.group] {
		if a.last < lo && a.open(c.rule, c.now) && c.rule.near(a.last, lo) {
			c.close(a)
		}
	}
}

// open reports whether the alert takes buckets next to it.
func (a *openAlert) open(rule *Rule, now time.Time) bool {
	return rule.KeepAlive > 0 && !a.closed && now.Sub(a.changed) < rule.KeepAlive
}

// overlaps reports whether buckets are in the alert already: all of them or, of a
// session that has grown, some.
func (a *openAlert) overlaps(lo, hi int64) bool { return a.first <= hi && lo <= a.last }

// near reports whether a bucket begins at most the keep-alive behind the end of
// an earlier one.
func (r *Rule) near(earlier, later int64) bool {
	return later-earlier-1 <= int64(r.KeepAlive/r.Size)
}

// fits reports whether an alert may span these buckets.
func (r *Rule) fits(first, last int64) bool {
	return last-first < int64(r.MaxDuration/r.Size)
}

// begin opens an alert and tells of it, unless too many were.
func (c *change) begin(lo, hi, from, to int64) *openAlert {
	a := &openAlert{
		key:    string(c.key),
		opened: lo * int64(c.rule.Size),
		first:  lo, last: hi,
		from: from, to: to,
		changed: c.now,
		muted:   !c.limiter.admit(c.now),
	}
	if c.rule.Window == Session {
		a.opened = from
	}
	a.count, a.presumed, a.inexact = c.between(c.group, from, to)
	if c.alerts == nil {
		c.alerts = map[uint32][]*openAlert{}
	}
	list := c.alerts[c.group]
	at := sort.Search(len(list), func(i int) bool { return list[i].first > lo })
	c.alerts[c.group] = slices.Insert(list, at, a)
	c.groups.at(c.group).flags |= groupAlerts
	c.alertBytes += a.bytes()
	c.settleLater(a)
	c.tell(a, Open)
	return a
}

// merge lets one alert go on for two and closes the other: the later one, unless
// the earlier is closed or was never told.
func (c *change) merge(a, b *openAlert) *openAlert {
	if b.opened < a.opened {
		a, b = b, a
	}
	if a.closed && !b.closed || a.muted && !b.muted {
		a, b = b, a
	}
	switch {
	case a.to < b.from:
		c.widen(a, a.from, b.from-1)
	case b.to < a.from:
		c.widen(a, b.to+1, a.to)
	default: // some events are in both
		count, presumed, inexact := c.between(c.group, max(a.from, b.from), min(a.to, b.to))
		a.count, a.presumed, a.inexact = a.count-count, a.presumed-presumed, a.inexact || inexact
	}
	a.count, a.presumed, a.inexact = a.count+b.count, a.presumed+b.presumed, a.inexact || b.inexact
	a.from, a.to = min(a.from, b.from), max(a.to, b.to)
	a.first, a.last = min(a.first, b.first), max(a.last, b.last)
	if a.changed.Before(b.changed) {
		a.changed = b.changed
	}
	if !b.muted {
		record := c.record(c.group, b, Closed)
		record.Merged, record.MergedInto = true, a.opened
		c.told = append(c.told, record)
	}
	b.closed = true
	c.letGo(b)
	c.alerts[c.group] = slices.DeleteFunc(c.alerts[c.group], func(other *openAlert) bool { return other == b })
	return a
}

// counted takes an event that was just put into a bucket into the alerts that it
// belongs to, by its time or by its bucket.
func (c *change) counted(n uint32, e event) {
	b := c.buckets.at(n)
	list := c.alerts[c.group]
	// Alerts lie apart by buckets, but one may begin in the bucket before its first.
	i := sort.Search(len(list), func(i int) bool { return list[i].last >= b.index })
	for ; i < len(list) && list[i].first <= b.index+1; i++ {
		a := list[i]
		switch {
		case a.from <= e.time && e.time <= a.to:
			a.count++
			if e.flags&eventPresumed != 0 {
				a.presumed++
			}
			if b.flags&bucketCut != 0 && e.time < c.events(n)[0].time {
				a.inexact = true // it may be one that was let go
			}
		case a.first <= b.index && b.flags&bucketAlerts != 0:
			c.widen(a, min(a.from, e.time), max(a.to, e.time))
		default:
			continue
		}
		c.touch(a)
	}
}

// widen counts the events by which an alert grows.
func (c *change) widen(a *openAlert, from, to int64) {
	if from < a.from {
		c.countMore(a, from, a.from-1)
		a.from = from
	}
	if to > a.to {
		c.countMore(a, a.to+1, to)
		a.to = to
	}
}

func (c *change) countMore(a *openAlert, from, to int64) {
	count, presumed, inexact := c.between(c.group, from, to)
	a.count += count
	a.presumed += presumed
	a.inexact = a.inexact || inexact || a.lossy
}

// maxEscalations is how many powers of ten above the threshold are told.
const maxEscalations = 12

// touch notes that an alert has changed, and tells when it has grown tenfold.
func (c *change) touch(a *openAlert) {
	a.changed = c.now
	if a.closed {
		a.corrected = true
	}
	c.settleLater(a)
	c.save(a)
	limit := 10 * max(1, c.rule.Threshold)
	for range a.escalations {
		limit *= 10
	}
	grown := false
	for ; a.count > limit && a.escalations < maxEscalations; limit *= 10 {
		a.escalations++
		grown = true
	}
	if grown && !a.closed {
		c.tell(a, Escalated)
	}
}

func (c *change) close(a *openAlert) {
	a.closed, a.corrected = true, false
	c.save(a)
	c.tell(a, Closed)
}

func (s *shard) settleLater(a *openAlert) {
	if !a.waiting {
		a.waiting = true
		s.unsettled = append(s.unsettled, a)
	}
}

// save has an alert entered into the journal, with what is entered next.
func (s *shard) save(a *openAlert) {
	if s.journal != nil && !a.unsaved {
		a.unsaved = true
		s.unsaved = append(s.unsaved, a)
	}
}

// correctionQuiet is how long late events have to cease before the totals are
// corrected: an outage that drains would make one record a second.
const correctionQuiet = time.Minute

// quiet is how long nothing has to change an alert for it to be closed. A session
// goes on as long as its gap may be.
func (r *Rule) quiet() time.Duration {
	if r.Window == Session {
		return max(r.KeepAlive, r.Size)
	}
	return r.KeepAlive
}

// settle closes what is due and tells of corrections. Alerts that need the timer
// no more leave its list.
func (s *shard) settle(now time.Time, told []Alert) []Alert {
	s.unsettled = slices.DeleteFunc(s.unsettled, func(a *openAlert) bool {
		due := !a.closed && now.Sub(a.changed) >= s.rule.quiet() ||
			a.corrected && now.Sub(a.changed) >= min(s.rule.KeepAlive, correctionQuiet)
		if due && !a.dropped {
			a.closed, a.corrected = true, false
			s.save(a)
			if !a.muted {
				told = append(told, s.record(s.findGroup(s.hasher.group([]byte(a.key))), a, Closed))
			}
		}
		a.waiting = (!a.closed || a.corrected) && !a.dropped
		return !a.waiting
	})
	s.gone = 0
	return told
}

// forgetAlerts drops a group's alerts that no event can belong to any more.
func (s *shard) forgetAlerts(g uint32, now time.Time) {
	list := slices.DeleteFunc(s.alerts[g], func(a *openAlert) bool {
		// Twice as long as an event is promised to be, so that none outlives its alert.
		if !a.closed || a.corrected || a.muted && !a.summed || now.Sub(a.changed) <= 2*(s.rule.Size+s.rule.Retention) {
			return false
		}
		s.letGo(a)
		return true
	})
	if len(list) > 0 {
		s.alerts[g] = list
		return
	}
	delete(s.alerts, g)
	s.groups.at(g).flags &^= groupAlerts
	s.dropIfEmpty(g)
}
