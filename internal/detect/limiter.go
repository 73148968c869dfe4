// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sync"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
)

// limitPeriod is the time for which a rule's limit of alerts holds, and the least between two
// overflows.
const limitPeriod = 10 * time.Minute

// limiter bounds how many alerts are opened.
type limiter struct {
	limit int // in a period; 0: none

	mu         sync.Mutex // guards what follows
	state      journal.Limiter
	suppressed int // alerts, since the start
	evicted    int // groups that overflows have reported
}

// admit reports whether one more alert may be opened.
func (l *limiter) admit(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Start.IsZero() || now.Sub(l.state.Start) >= limitPeriod {
		l.state.Start, l.state.Opened = now, 0
	}
	if l.limit == 0 || l.state.Opened < l.limit {
		l.state.Opened++
		return true
	}
	l.suppressed++
	if l.state.Unreported++; l.state.Unreported == 1 {
		l.state.SuppressedSince = now
	}
	return false
}

// restore puts the limiter into the state of an earlier one. What is counted since the start
// begins at zero.
func (l *limiter) restore(state journal.Limiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
}

// snapshot returns the state that outlives a restart.
func (l *limiter) snapshot() journal.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// idle reports whether the limiter behaves as a new one would.
func (l *limiter) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := func(t time.Time) bool { return t.IsZero() || now.Sub(t) >= limitPeriod }
	return l.state.Unreported == 0 && over(l.state.Start) && over(l.state.LastOverflow)
}

// mayExceed reports whether some alerts may still be opened, but fewer than so many: then it
// matters which come first.
func (l *limiter) mayExceed(alerts int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	available := l.limit
	if now.Sub(l.state.Start) < limitPeriod {
		available -= l.state.Opened
	}
	return 0 < available && available < alerts // without a limit, nothing is available
}

func (l *limiter) suppressedSoFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.suppressed
}

// overflowDue reports whether an overflow is due, and how many evictions of so many it is to
// report. The last of all does not wait.
func (l *limiter) overflowDue(evicted int, now time.Time, last bool) (unreported int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	suppressed := l.state.Unreported > 0 && (last || now.Sub(l.state.SuppressedSince) >= limitPeriod)
	tooSoon := !last && !l.state.LastOverflow.IsZero() && now.Sub(l.state.LastOverflow) < limitPeriod
	unreported = evicted - l.evicted
	if !suppressed && unreported == 0 || tooSoon {
		return 0, false
	}
	l.evicted, l.state.LastOverflow, l.state.Unreported = evicted, now, 0
	return unreported, true
}
