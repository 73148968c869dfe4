// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func call(time int64) Event { return Event{Time: time, ID: "call", Group: "g"} }

func intervention(time int64) Event {
	return Event{Time: time, ID: "intervention", Group: "g", Intervened: true, Uncounted: true}
}

func TestCountedAfterAnIntervention(t *testing.T) {
	elsewhere := intervention(4)
	elsewhere.Group = "h"
	both := call(5)
	both.Intervened = true
	second := Event{Time: 6, ID: "second", Group: "g"}
	observed, again := intervention(0), intervention(9)
	observed.IDOnly, again.IDOnly = true, true
	for name, test := range map[string]struct{ events, want []Event }{
		"no intervention":                   {[]Event{call(5)}, nil},
		"only an intervention":              {[]Event{intervention(5)}, nil},
		"just before":                       {[]Event{intervention(4), call(5)}, []Event{call(5)}},
		"at the same time":                  {[]Event{intervention(5), call(5)}, nil},
		"after it":                          {[]Event{intervention(6), call(5)}, nil},
		"as long before as it may be":       {[]Event{intervention(-5), call(5)}, []Event{call(5)}},
		"a nanosecond longer":               {[]Event{intervention(-6), call(5)}, nil},
		"arriving late":                     {[]Event{call(5), intervention(4)}, []Event{call(5)}},
		"of another group":                  {[]Event{elsewhere, call(5)}, nil},
		"itself":                            {[]Event{both}, nil},
		"one that counts, too":              {[]Event{both, second}, []Event{second}},
		"both, after another":               {[]Event{intervention(4), both}, []Event{both}},
		"repeats":                           {[]Event{intervention(4), call(5), intervention(4), call(5)}, []Event{call(5)}},
		"by id alone, the first time holds": {[]Event{observed, again, call(11)}, nil},
		"the ends of time":                  {[]Event{intervention(math.MinInt64), call(math.MaxInt64)}, nil},
		"the last instants there are":       {[]Event{intervention(math.MaxInt64 - 1), call(math.MaxInt64)}, []Event{call(math.MaxInt64)}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Counted(test.events, Rule{After: 10}))
		})
	}
	ends := []Event{intervention(math.MinInt64), call(-1)}
	assert.Equal(t, ends[1:], Counted(ends, Rule{After: math.MaxInt64}))
	assert.Equal(t, []Event{call(5)}, Counted([]Event{intervention(1), call(5)}, Rule{}), "without After, all calls")
}

func TestAlertsAfterAnIntervention(t *testing.T) {
	events := append(at(-1, 0, 1, 2, s+1, s+2), Event{Time: 0, ID: "i", Group: "g", Intervened: true, Uncounted: true})
	assert.Equal(t, []Alert{{"g", 0}}, Alerts(events, Rule{Sliding, time.Second, 1, time.Second}), "of two calls, and then of one")
	assert.Equal(t, []Run{{"g", 1, 2, 2}}, Runs(events, Rule{Session, time.Second, 1, time.Second}))
}

func TestRepeats(t *testing.T) {
	both := call(5)
	both.Intervened = true
	onlyIntervention := both
	onlyIntervention.Uncounted = true
	for name, test := range map[string]struct {
		events []Event
		want   int
	}{
		"none":                    {[]Event{call(5), intervention(5), call(6)}, 0},
		"a call":                  {[]Event{call(5), call(5)}, 1},
		"an intervention":         {[]Event{intervention(5), call(5), intervention(5)}, 1},
		"of one that is both":     {[]Event{both, both}, 1},
		"as one thing more":       {[]Event{call(5), both, call(5), onlyIntervention}, 2},
		"as another thing":        {[]Event{onlyIntervention, call(5)}, 0},
		"with another group's id": {[]Event{call(5), {Time: 5, ID: "call", Group: "h"}}, 0},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, Repeats(test.events)) })
	}
}
