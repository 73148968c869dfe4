// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"time"
)

// openAlert is a run of alerting buckets that an analyst sees as one alert.
type openAlert struct {
	first, last int64     // its first and last bucket
	changed     time.Time // when an event was last counted in it
}

// join makes a bucket alert. It reports whether that opens an alert, rather than
// belonging to one that is there.
func (g *group) join(rule *Rule, index int64, now time.Time) (opens bool) {
	takes := func(a *openAlert) bool { return a.takes(rule, index, now) }
	var home *openAlert
	if i := slices.IndexFunc(g.alerts, takes); i >= 0 {
		home = g.alerts[i]
		home.first, home.last = min(home.first, index), max(home.last, index)
		// A bucket may bridge two alerts: one goes on for both.
		for _, a := range slices.Clone(g.alerts[i+1:]) {
			if takes(a) && rule.fits(min(home.first, a.first), max(home.last, a.last)) {
				home.first, home.last = min(home.first, a.first), max(home.last, a.last)
				g.replace(a, home)
			}
		}
	}
	opens = home == nil
	if opens {
		home = &openAlert{first: index, last: index}
		g.alerts = append(g.alerts, home)
	}
	home.changed = now
	g.buckets[index].alert = home
	return opens
}

// takes reports whether a bucket belongs to the alert: inside it always; next to
// it while it is open, near enough and not too long.
func (a *openAlert) takes(rule *Rule, index int64, now time.Time) bool {
	if a.first <= index && index <= a.last {
		return true
	}
	return rule.KeepAlive > 0 &&
		now.Sub(a.changed) <= rule.KeepAlive &&
		rule.near(a.last, index) && rule.near(index, a.first) &&
		rule.fits(min(a.first, index), max(a.last, index))
}

// near reports whether a bucket begins at most the keep-alive behind the end of
// an earlier one.
func (r *Rule) near(earlier, later int64) bool {
	// In whole buckets first, since instants far apart cannot be subtracted.
	gap := later - earlier - 1
	return gap <= int64(r.KeepAlive/r.Size)
}

// fits reports whether an alert may span these buckets.
func (r *Rule) fits(first, last int64) bool {
	return last-first < int64(r.MaxDuration/r.Size)
}

// replace moves the buckets of an alert to another.
func (g *group) replace(a, by *openAlert) {
	g.alerts = slices.DeleteFunc(g.alerts, func(other *openAlert) bool { return other == a })
	for _, b := range g.buckets {
		if b.alert == a {
			b.alert = by
		}
	}
}
