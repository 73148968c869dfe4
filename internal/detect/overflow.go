// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// limitSpan is the time for which a rule's limit of alerts holds, and the least
// between two overflows.
const limitSpan = 10 * time.Minute

// limiter bounds the alerts that are opened.
type limiter struct {
	limit int // in a span; 0: none

	mu      sync.Mutex // guards what follows
	start   time.Time  // of the present span
	opened  int        // in it
	limited int        // since the start of all
	untold  int        // of those, how many no overflow has told
	since   time.Time  // the first of the untold
	evicted int        // groups evicted that an overflow has told
	told    time.Time  // the last overflow
}

// admit reports whether one more alert may be opened.
func (l *limiter) admit(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start.IsZero() || now.Sub(l.start) >= limitSpan {
		l.start, l.opened = now, 0
	}
	if l.limit == 0 || l.opened < l.limit {
		l.opened++
		return true
	}
	l.limited++
	if l.untold++; l.untold == 1 {
		l.since = now
	}
	return false
}

// restore puts the limiter as an earlier one was. What is counted since the start
// begins at zero.
func (l *limiter) restore(e *limiterEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start, l.since, l.told, l.opened, l.untold = e.start, e.since, e.told, e.opened, e.untold
}

// idle reports whether the limiter is as good as new.
func (l *limiter) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := func(t time.Time) bool { return t.IsZero() || now.Sub(t) >= limitSpan }
	return l.untold == 0 && over(l.start) && over(l.told)
}

// tight reports whether the limit leaves room for some alerts, but not for so many:
// then it is of account which come first.
func (l *limiter) tight(alerts int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.limit
	if now.Sub(l.start) < limitSpan {
		left -= l.opened
	}
	return l.limit > 0 && 0 < left && left < alerts
}

func (l *limiter) limitedSoFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limited
}

// due reports whether an overflow is to be told, and of how many evictions. The last
// of all does not wait.
func (l *limiter) due(evicted int, now time.Time, last bool) (fresh int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limited := l.untold > 0 && (last || now.Sub(l.since) >= limitSpan)
	tooSoon := !last && !l.told.IsZero() && now.Sub(l.told) < limitSpan
	fresh = evicted - l.evicted
	if !limited && fresh == 0 || tooSoon {
		return 0, false
	}
	l.evicted, l.told, l.untold = evicted, now, 0
	return fresh, true
}

// observeInOrder counts a batch event by event, where Observe does it shard by shard.
func (d *Detector) observeInOrder(events []Event, now time.Time) (all Result) {
	for i := range events {
		result := d.Observe(events[i:i+1], now)
		all.Alerts = append(all.Alerts, result.Alerts...)
		all.Repeats += result.Repeats
	}
	return all
}

// Flush tells what the next overflow would tell, in one alert, and nothing when there
// is none. For the end, where no journal lets another detector tell it in its time.
func (d *Detector) Flush(now time.Time) []Alert { return d.overflow(now, true) }

// overflow sums up what was not told by itself: alerts over the limit, ten minutes
// after the first of them, and groups that were forgotten for want of memory. It
// tells nothing when there is none, or the last was too short ago, unless this is the
// last of all.
func (d *Detector) overflow(now time.Time, last bool) []Alert {
	evicted, due := d.limiter.due(d.Stats().Evicted, now, last)
	if !due {
		return nil
	}
	summary := &Summary{Evicted: evicted}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for _, list := range s.alerts {
			for _, a := range list {
				if a.muted && !a.summed {
					a.summed = true
					s.save(a)
					summary.Groups = append(summary.Groups, SummaryGroup{Group: SplitKey(a.key), Count: a.count})
					summary.Invocations += a.count
				}
			}
		}
		d.journal.enter(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	d.saveLimit(now) // evictions are of no alert that it is entered with
	if len(summary.Groups) == 0 && evicted == 0 {
		return nil // what was untold has become part of what was told
	}
	slices.SortFunc(summary.Groups, func(a, b SummaryGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), slices.Compare(a.Group, b.Group))
	})
	return []Alert{{State: Overflow, Opened: now.UnixNano(), Overflow: summary}}
}

// saveLimit enters into the journal how far the limit is used, as long as that
// matters, which may be for longer than any alert is known.
func (d *Detector) saveLimit(now time.Time) {
	if d.journal != nil && !d.limiter.idle(now) {
		d.journal.enterLimiter(&d.limiter, now)
	}
}
