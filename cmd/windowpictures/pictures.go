// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
)

const (
	seconds = "15:04:05"
	minutes = "15:04"
)

func counted(call) string { return "call" }

// edge shows six calls within a minute that no calendar minute holds.
func edge() string {
	calls := every(34*time.Second, 10*time.Second, 6)
	c := newCanvas(0, 2*time.Minute)

	tumbling := defaults()
	tumbling.Window = detect.Tumbling
	axis := c.lane("Counted by calendar minute", "Three calls lie in one minute and three in the next: "+alerts(play(tumbling, calls))+".", 98)
	for minute := range time.Duration(2) {
		from, to := c.x(minute*time.Minute), c.x((minute+1)*time.Minute)
		c.draw(`<rect class="bucket" x="%.1f" y="%.1f" width="%.1f" height="24"/>`, from+2, axis-12, to-from-4)
		n := 0
		for _, one := range calls {
			if one.at/time.Minute == minute {
				n++
			}
		}
		c.text((from+to)/2, axis-18, "", "middle", fmt.Sprintf("%d calls", n))
	}
	c.calls(axis, calls, counted)

	raised := play(defaults(), calls)
	axis = c.lane("Sliding window", "The minute that ends with the sixth call holds all six: "+alerts(raised)+".", 112)
	last := calls[len(calls)-1].at
	c.draw(`<path class="window" d="M%.1f %.1fv14H%.1fv-14"/>`, c.x(last-time.Minute)+1, axis+2, c.x(last))
	c.draw(`<rect class="within" x="%.1f" y="%.1f" width="%.1f" height="26"/>`, c.x(last-time.Minute)+1, axis-13, c.x(last)-c.x(last-time.Minute)-1)
	c.calls(axis, calls, counted)
	for _, a := range raised {
		c.flag(axis-4, a.opened, "start", fmt.Sprintf("alert at %s, %d calls", clock(a.opened, seconds), a.countOpen))
	}
	c.y += 10
	c.ticks(15*time.Second, seconds)
	return c.svg("Why the minute's edge matters",
		"Six calls within a minute, three before and three after a full minute. Counted by calendar minute, none alerts. The sliding window that ends with the sixth call holds all six and alerts.")
}

// types shows the same calls under each type of window.
func types() string {
	calls := slices.Concat(
		every(40*time.Second, 8*time.Second, 6),                // over a full minute
		every(3*time.Minute+4*time.Second, 9*time.Second, 6),   // within one
		every(5*time.Minute+10*time.Second, 40*time.Second, 7), // slowly
	)
	c := newCanvas(0, 10*time.Minute)
	for _, lane := range []struct {
		title, says string
		window      detect.WindowType
	}{
		{"sliding, 1m", "Any 60 seconds that end with a call. The two bursts alert, wherever they lie.", detect.Sliding},
		{"tumbling, 1m", "The minutes of the clock. Only the burst within one of them alerts.", detect.Tumbling},
		{"session, 1m", "Runs without a pause of more than a minute. The slow calls are a session of seven, and alert as well.", detect.Session},
	} {
		rule := defaults()
		rule.Window, rule.KeepAlive = lane.window, 0
		raised := play(rule, calls)
		axis := c.lane(lane.title, lane.says, 92)
		for _, a := range raised {
			from, to := c.x(a.first)-8, c.x(a.last)+8
			c.draw(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="22" rx="11"/>`, from, axis-11, to-from)
		}
		if lane.window == detect.Tumbling {
			for minute := range time.Duration(11) {
				c.draw(`<line class="tick" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, c.x(minute*time.Minute), c.x(minute*time.Minute), axis-12, axis+12)
			}
		}
		c.calls(axis, calls, counted)
		for _, a := range raised {
			c.flag(axis-5, a.opened, "start", clock(a.opened, seconds))
		}
	}
	c.ticks(time.Minute, minutes)
	c.legend([2]string{"call", "a call without a guardrail"}, [2]string{"alert", "an alert opens (threshold 5)"})
	return c.svg("Window types", "The same nineteen calls under sliding, tumbling and session windows, with the calls that each alert counts.")
}

// keepAlive shows the same bursts with different pauses that one alert may have.
func keepAlive() string {
	calls := slices.Concat(
		every(2*time.Minute, 5*time.Second, 8), every(9*time.Minute, 5*time.Second, 8),
		every(26*time.Minute, 5*time.Second, 8), every(32*time.Minute, 5*time.Second, 8),
	)
	c := newCanvas(0, 65*time.Minute)
	for _, pause := range []time.Duration{0, 10 * time.Minute, 30 * time.Minute} {
		rule := defaults()
		rule.KeepAlive = pause
		raised := play(rule, calls)
		says := map[time.Duration]string{
			0:                "Each minute with a window over the threshold is an alert of its own, which is closed at once.",
			10 * time.Minute: "The default. Bursts that follow each other within ten minutes are one alert; it is closed ten minutes after the last.",
			30 * time.Minute: "One alert for all four bursts, and half an hour until it is closed.",
		}[pause]
		axis := c.lane(fmt.Sprintf("keep_alive: %s — %s", name(pause), alerts(raised)), says, 98)
		for _, a := range raised {
			end := a.last
			if a.closed > 0 && pause > 0 {
				end = a.closed
				c.draw(`<line class="window" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, c.x(end), c.x(end), axis-13, axis+13)
				c.text(c.x(end)+1, axis-18, "window-text", "end", fmt.Sprintf("closed, %d calls", a.counts))
			}
			c.draw(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="22" rx="4"/>`, c.x(a.first)-7, axis-11, c.x(end)-c.x(a.first)+7)
		}
		c.calls(axis, calls, counted)
		for _, a := range raised {
			c.flag(axis-4, a.opened, "start", "open")
		}
	}
	c.ticks(5*time.Minute, minutes)
	return c.svg("What keep_alive does", "Four bursts of eight calls: with keep_alive 0s four alerts, with 10m two, with 30m one. An alert is closed when nothing has changed it for that long.")
}

// intervention shows which calls count after a guardrail intervened.
func intervention() string {
	calls := slices.Concat(
		[]call{{at: 0}, {at: 30 * time.Second, blocked: true}},
		every(70*time.Second, 40*time.Second, 3), []call{{at: 10*time.Minute + 55*time.Second}},
	)
	c := newCanvas(-30*time.Second, 13*time.Minute)
	classes := func(counts func(call) bool) func(call) string {
		return func(one call) string {
			switch {
			case one.blocked:
				return "blocked"
			case counts(one):
				return "call"
			default:
				return "ignored"
			}
		}
	}
	raised := play(defaults(), calls)
	axis := c.lane("The built-in rule", "Never more than five within a minute: "+alerts(raised)+".", 82)
	c.calls(axis, calls, classes(func(call) bool { return true }))

	rule := defaults()
	rule.Threshold, rule.AfterIntervention = 0, 10*time.Minute
	raised = play(rule, calls)
	blocked := calls[1].at
	axis = c.lane("after_intervention: 10m, threshold: 0", "Only what follows the blocked call within ten minutes counts, and the first such call is enough: "+alerts(raised)+".", 118)
	c.draw(`<rect class="within" x="%.1f" y="%.1f" width="%.1f" height="26"/>`, c.x(blocked), axis-13, c.x(blocked+rule.AfterIntervention)-c.x(blocked))
	c.draw(`<path class="window" d="M%.1f %.1fv12H%.1fv-12"/>`, c.x(blocked), axis+8, c.x(blocked+rule.AfterIntervention))
	c.text((c.x(blocked)+c.x(blocked+rule.AfterIntervention))/2, axis-18, "window-text", "middle", "within ten minutes of the intervention")
	c.calls(axis, calls, classes(func(one call) bool { return one.at > blocked && one.at <= blocked+rule.AfterIntervention }))
	for _, a := range raised {
		c.flag(axis-5, a.opened, "end", "alert")
	}
	c.y += 10
	c.ticks(time.Minute, minutes)
	c.legend([2]string{"blocked", "its guardrail intervened"}, [2]string{"call", "no guardrail, counts"}, [2]string{"ignored", "no guardrail, does not count"}, [2]string{"alert", "an alert opens"})
	return c.svg("What an intervention changes", "Five calls without a guardrail and one that a guardrail stopped. The built-in rule raises nothing; a rule with after_intervention counts the three calls that follow within ten minutes.")
}

// alerts says in words how many alerts there are.
func alerts(raised []alert) string {
	return [...]string{"no alert", "one alert", "two alerts", "three alerts", "four alerts"}[len(raised)]
}

func name(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
