// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
)

// call is an invocation that is drawn, at a time after the scene's beginning.
type call struct {
	at      time.Duration
	blocked bool // by its guardrail; every other call is unguarded
}

// every returns calls at intervals.
func every(from, interval time.Duration, n int) (calls []call) {
	for i := range n {
		calls = append(calls, call{at: from + time.Duration(i)*interval})
	}
	return calls
}

// alert is one that detection raised, in times after the scene's beginning.
type alert struct {
	opened, closed    time.Duration // when its records were emitted
	first, last       time.Duration // calls that it counts
	countOpen, counts int
}

// epoch is when scenes begin: at a full minute.
var epoch = time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)

// defaults returns the built-in rule as detection sees it.
func defaults() detect.Rule {
	return detect.Rule{
		Window: detect.Sliding, Size: time.Minute, Threshold: 5,
		KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour,
	}
}

// play lets calls arrive when they are made, until an hour after the last one, and returns the alerts.
func play(rule detect.Rule, calls []call) (alerts []alert) {
	detector := detect.New(rule)
	key := detect.AppendKey(nil, "caller")
	byBucket := map[int64]int{}
	note := func(raised []detect.Alert, now time.Duration) {
		for _, a := range raised {
			i, known := byBucket[a.Opened]
			if !known {
				i = len(alerts)
				byBucket[a.Opened] = i
				alerts = append(alerts, alert{opened: now, countOpen: a.Count})
			}
			alerts[i].first, alerts[i].last = since(a.First), since(a.Last)
			alerts[i].counts = a.Count
			if a.State == detect.Closed {
				alerts[i].closed = now
			}
		}
	}
	end := calls[len(calls)-1].at + time.Hour
	for now, next := time.Duration(0), 0; now <= end; now += time.Second {
		for ; next < len(calls) && calls[next].at <= now; next++ {
			c := calls[next]
			event := detect.Event{
				Time: epoch.Add(c.at).UnixNano(), Key: key, ID: strconv.Itoa(next),
				Intervened: c.blocked, Uncounted: c.blocked,
			}
			if c.blocked && rule.AfterIntervention == 0 {
				continue // guarded: the rule does not count it
			}
			note(detector.Observe([]detect.Event{event}, epoch.Add(now)).Alerts, now)
		}
		note(detector.Tick(epoch.Add(now)), now)
	}
	return alerts
}

func since(unixNano int64) time.Duration { return time.Unix(0, unixNano).Sub(epoch) }
