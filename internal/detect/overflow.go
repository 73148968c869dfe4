// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"
	"time"
)

// Flush returns what the next overflow would report, as one alert, and nothing if there is
// none. It is for the end, where no journal lets another detector report it in its time.
func (d *Detector) Flush(now time.Time) []Alert { return d.overflow(now, true) }

// overflow sums up what was not reported by itself: alerts over the limit, ten minutes after
// the first of them, and groups that were evicted. It returns nothing when there is none, or
// when the latest overflow was too recent, unless this is the last of all.
func (d *Detector) overflow(now time.Time, last bool) []Alert {
	evicted, due := d.limiter.overflowDue(d.Stats().Evicted, now, last)
	if !due {
		return nil
	}
	summary := &Summary{Evicted: evicted}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		s.summarize(summary)
		d.journal.record(s, &d.limiter, nil, nil, now)
		s.mu.Unlock()
	}
	d.recordLimit(now) // evictions belong to no alert with which it would be recorded
	if len(summary.Groups) == 0 && evicted == 0 {
		return nil // what was suppressed was merged into an alert that was reported
	}
	slices.SortFunc(summary.Groups, func(a, b SummaryGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), slices.Compare(a.Group, b.Group))
	})
	return []Alert{{State: Overflow, Opened: now.UnixNano(), Overflow: summary}}
}

// summarize adds the suppressed alerts that no overflow has reported yet.
func (s *shard) summarize(summary *Summary) {
	for _, alerts := range s.alerts {
		for _, a := range alerts {
			if a.Suppressed && !a.Summarized {
				a.Summarized = true
				s.save(a)
				summary.Groups = append(summary.Groups, SummaryGroup{Group: SplitKey(a.Key), Count: a.Count})
				summary.Invocations += a.Count
			}
		}
	}
}

// recordLimit has the journal record how far the limit is used, as long as that matters,
// which may be for longer than any alert is known.
func (d *Detector) recordLimit(now time.Time) {
	if d.journal != nil && !d.limiter.idle(now) {
		d.journal.recordLimiter(&d.limiter, now)
	}
}
