// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"time"
)

// correctionDelay is how long late events must have ceased before corrected totals are
// reported: an outage that drains would cause a record a second.
const correctionDelay = time.Minute

// addTimer has an alert looked at as time passes.
func (s *shard) addTimer(a *openAlert) {
	if !a.hasTimer {
		a.hasTimer = true
		s.timers = append(s.timers, a)
	}
}

// runTimers closes the alerts that are due, reports corrections, and returns emitted with
// these records. Alerts that time does not change any more lose their timer.
func (s *shard) runTimers(now time.Time, emitted []Alert) []Alert {
	s.timers = slices.DeleteFunc(s.timers, func(a *openAlert) bool {
		unchanged := now.Sub(a.Changed)
		due := !a.Closed && unchanged >= s.rule.quiet() ||
			a.Corrected && unchanged >= min(s.rule.KeepAlive, correctionDelay)
		if due && !a.Dropped {
			a.Closed, a.Corrected = true, false
			s.save(a)
			if !a.Suppressed {
				emitted = append(emitted, s.report(s.store.FindGroup(s.hasher.groupString(a.Key)), a, Closed))
			}
		}
		a.hasTimer = (!a.Closed || a.Corrected) && !a.Dropped
		return !a.hasTimer
	})
	s.droppedTimers = 0
	return emitted
}
