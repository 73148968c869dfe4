// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"fmt"
	"math"
	"time"
)

// ticks returns round numbers from 0 to at least the maximum, in at most so many steps, which may have to be whole.
func ticks(maximum float64, steps int, whole bool) []float64 {
	if maximum <= 0 {
		maximum = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(maximum/float64(steps))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if step*factor*float64(steps) >= maximum {
			step *= factor
			break
		}
	}
	if whole {
		step = math.Ceil(step)
	}
	var all []float64
	for v := 0.0; ; v += step {
		all = append(all, v)
		if v >= maximum*(1-1e-9) {
			return all
		}
	}
}

// label returns a number for an axis: 12, 1.5k, 2M.
func label(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3gk", v/1e3)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

var timeSteps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour,
	91 * 24 * time.Hour, 364 * 24 * time.Hour, 3640 * 24 * time.Hour, 36400 * 24 * time.Hour,
}

// timeTicks returns round times between two, at most so many, and the layout that tells them apart.
func timeTicks(from, to time.Time, most int) (ticks []time.Time, layout string) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if to.Sub(from)/s < time.Duration(most) {
			step = s
			break
		}
	}
	switch {
	case step >= 364*24*time.Hour:
		layout = "2006"
	case step >= 24*time.Hour:
		layout = "2 Jan"
	case to.Sub(from) > 24*time.Hour:
		layout = "2 Jan 15:04"
	default:
		layout = "15:04"
	}
	for t := from.Truncate(step); !t.After(to); t = t.Add(step) {
		if !t.Before(from) {
			ticks = append(ticks, t)
		}
	}
	return ticks, layout
}
