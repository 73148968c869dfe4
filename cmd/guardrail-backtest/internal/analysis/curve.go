// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"hash/maphash"
	"slices"
	"time"
)

// MaxThreshold is the highest threshold of a curve.
const MaxThreshold = 50

// Curve says how many alerts a rule would raise at each threshold, with windows of one size.
type Curve struct {
	Size     time.Duration `json:"-"`
	Tumbling bool          `json:"-"`

	Alerts [MaxThreshold]int64 `json:"alerts"` // at the thresholds 1, 2, 3...
	Groups [MaxThreshold]int64 `json:"groups"` // that raise them
}

// lifecycle says which alerting windows belong to one alert, as a rule's settings do.
type lifecycle struct{ keepAlive, maxDuration time.Duration }

// curveGroup is what the curves need of a group: its latest events, and for each threshold the alert that is open.
type curveGroup struct {
	recent []event // in order of time, at most maxRecent
	levels [][]level
}

type event struct {
	time int64
	id   uint64
}

// level is the latest alert of a group at a threshold.
type level struct {
	first, last int64 // buckets
	changed     int64 // when an event last changed it
}

const maxRecent = MaxThreshold + 14 // some more than a window must hold, so that repeats are recognised

var idSeed = maphash.MakeSeed()

// add counts an event of a group in all curves. It returns false for a repeat. Late events are counted in the windows
// that they end, not in those that they lie in.
func (g *curveGroup) add(curves []*Curve, alerts lifecycle, at int64, id string, idOnly bool) bool {
	e := event{at, maphash.String(idSeed, id)}
	if slices.ContainsFunc(g.recent, func(r event) bool { return r.id == e.id && (idOnly || r.time == e.time) }) {
		return false
	}
	place := len(g.recent)
	for place > 0 && g.recent[place-1].time > at {
		place--
	}
	g.recent = slices.Insert(g.recent, place, e)
	if place++; len(g.recent) > maxRecent {
		g.recent = slices.Delete(g.recent, 0, 1)
		place--
	}
	if g.levels == nil {
		g.levels = make([][]level, len(curves))
	}
	for i, c := range curves {
		g.levels[i] = c.add(g.levels[i], alerts, at, c.count(g.recent[:place], at))
	}
	return true
}

// count returns how many of the latest events lie in the window that ends at a time, at most one more than the highest
// threshold.
func (c *Curve) count(recent []event, at int64) (n int) {
	start := at - int64(c.Size)
	if c.Tumbling {
		start = floorDiv(at, int64(c.Size))*int64(c.Size) - 1
	}
	for i := len(recent) - 1; i >= 0 && recent[i].time > start && n <= MaxThreshold; i-- {
		n++
	}
	return n
}

// add counts an event that ends a window with n events, and returns the levels of its group.
func (c *Curve) add(levels []level, alerts lifecycle, at int64, n int) []level {
	bucket := floorDiv(at, int64(c.Size))
	for i := range MaxThreshold {
		threshold := i + 1
		alerting := n > threshold
		if i < len(levels) && levels[i].last == bucket { // earlier events made the bucket alert
			levels[i].changed = at
			continue
		}
		if !alerting {
			break // it does not at any higher threshold either
		}
		if i == len(levels) {
			levels = append(levels, level{bucket, bucket, at})
			c.Groups[i]++
			c.Alerts[i]++
			continue
		}
		l := &levels[i]
		if at-l.changed < int64(alerts.keepAlive) &&
			bucket-l.last-1 <= int64(alerts.keepAlive/c.Size) && bucket-l.first < int64(alerts.maxDuration/c.Size) {
			l.last, l.changed = bucket, at
			continue
		}
		*l = level{bucket, bucket, at}
		c.Alerts[i]++
	}
	return levels
}
