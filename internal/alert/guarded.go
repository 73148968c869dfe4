// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"fmt"
	"time"
)

// Guarded is what is known of the guarded calls that a group made before those that an alert counts. The zero value
// is that nothing is.
type Guarded struct {
	Last      time.Time // of the latest of them
	NoneSince time.Time // none of the group's calls was guarded since then, when the collector began to look
}

// clause returns what continues the sentence of an alert whose first call was at a time in Unix nanoseconds; empty
// if nothing is known.
func (g Guarded) clause(first int64) string {
	begin := time.Unix(0, first)
	switch {
	case !g.Last.IsZero():
		return fmt.Sprintf("; its last guarded call was at %s, %s before", clockNear(g.Last, begin), inWords(begin.Sub(g.Last)))
	case !g.NoneSince.IsZero():
		since := g.NoneSince.Add(time.Second - 1) // it must not claim more than is known
		return fmt.Sprintf("; none of its calls has been guarded since %s, when this collector began to look", clockNear(since, begin))
	default:
		return ""
	}
}

// clockNear returns a time to the second: without its date if that is another's.
func clockNear(t, other time.Time) string {
	t, other = t.UTC(), other.UTC()
	if t.YearDay() == other.YearDay() && t.Year() == other.Year() {
		return t.Format("15:04:05")
	}
	return clock(t.UnixNano())
}

// inWords returns a duration in its largest unit of which there are at least two, rounded down.
func inWords(d time.Duration) string {
	for _, unit := range [...]struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}, {time.Second, "seconds"}} {
		if n := d / unit.length; n >= 2 {
			return fmt.Sprintf("%d %s", n, unit.name)
		}
	}
	if d >= time.Second {
		return "a second"
	}
	return "less than a second"
}
