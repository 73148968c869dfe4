// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"fmt"
	"time"
)

// Readiness says whether a rule could be switched on as it is.
type Readiness string

// The values of readiness.
const (
	NotEnoughData Readiness = "not enough data"
	NeverFires    Readiness = "never fires"
	TooNoisy      Readiness = "too noisy"
	Ready         Readiness = "ready"
)

const (
	// minTime and minInvocations are what must have been read to say anything about a rule.
	minTime        = 24 * time.Hour
	minInvocations = 100
	// maxPerDay is how many alerts a day people look at before they stop looking.
	maxPerDay = 10.0
)

// readiness judges a rule by its alerts and by how much was read, and says why in a phrase with the numbers.
func readiness(r *RuleReport, span time.Duration, judged int64) (Readiness, string) {
	days := span.Hours() / 24
	perDay := float64(r.Alerts) / max(days, 1)
	switch {
	case r.Suppressed > 0:
		return TooNoisy, fmt.Sprintf("more than the %d alerts that may open in ten minutes", r.Limit)
	case perDay > maxPerDay:
		return TooNoisy, fmt.Sprintf("%.3g alerts a day, more than the %g that people keep looking at", perDay, maxPerDay)
	case span < minTime:
		return NotEnoughData, Duration(span) + " of logs; read at least a day of them"
	case judged < minInvocations:
		return NotEnoughData, fmt.Sprintf("%d invocations; read at least %d", judged, minInvocations)
	case r.Alerts == 0 && r.Counted == 0:
		return NeverFires, "nothing of what it counts occurred"
	case r.Alerts == 0 && r.MaxWindow > 0:
		return NeverFires, fmt.Sprintf("no window held more than %d of what it counts, and %d are allowed", r.MaxWindow, r.Threshold)
	case r.Alerts == 0:
		return NeverFires, fmt.Sprintf("nowhere did it count more than the %d that are allowed", r.Threshold)
	default:
		return Ready, fmt.Sprintf("%.2g alerts a day, of %s", perDay, Count(int64(r.AlertingGroups), "group"))
	}
}

// Duration returns a duration in the two largest of its units: 1h43m, 30d4h.
func Duration(d time.Duration) string {
	days, hours := int(d.Hours())/24, int(d.Hours())%24
	minutes, seconds := int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return pair(days, "d", hours, "h")
	case hours > 0:
		return pair(hours, "h", minutes, "m")
	case minutes > 0:
		return pair(minutes, "m", seconds, "s")
	default:
		return fmt.Sprintf("%ds", seconds)
	}
}

func pair(a int, unit string, b int, smaller string) string {
	if b == 0 {
		return fmt.Sprint(a, unit)
	}
	return fmt.Sprint(a, unit, b, smaller)
}

// Count returns a number with a noun in its number: 1 group, 2 groups.
func Count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
