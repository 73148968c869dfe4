// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Every table counts in seconds and nanoseconds; windows are a second long.
const s = int64(time.Second)

type table map[string]struct {
	threshold int
	events    []Event
	want      []Alert
}

func (tests table) run(t *testing.T, kind Type) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Alerts(test.events, Rule{Type: kind, Size: time.Second, Threshold: test.threshold}))
		})
	}
}

// at makes distinct events of group "g".
func at(times ...int64) []Event {
	events := make([]Event, len(times))
	for i, time := range times {
		events[i] = Event{Time: time, ID: strconv.Itoa(i), Group: "g"}
	}
	return events
}

// g makes the alerts of group "g".
func g(starts ...int64) []Alert {
	alerts := make([]Alert, len(starts))
	for i, start := range starts {
		alerts[i] = Alert{"g", start}
	}
	return alerts
}

func TestSliding(t *testing.T) {
	table{
		"nothing":                           {0, nil, g()},
		"threshold 0, one event":            {0, at(5), g(0)},
		"threshold 1, one event":            {1, at(5), g()},
		"as many as the threshold":          {2, at(1, 2), g()},
		"one more than the threshold":       {2, at(1, 2, 3), g(0)},
		"exactly size apart":                {1, at(7, 7+s), g()},
		"a nanosecond less than size apart": {1, at(7, 6+s), g(s)},
		"over an edge":                      {1, at(s-1, s), g(s)},
		"from edge to edge":                 {1, at(0, s), g()},
		"first and last of a bucket":        {1, at(0, s-1), g(0)},
		"the same instant":                  {2, at(9, 9, 9), g(0)},
		"the same instant on an edge":       {2, at(s, s, s), g(s)},
		"ties at the far end are outside":   {3, at(0, 0, 0, s), g()},
		"ties at the near end all count":    {2, at(1, s, s), g(s)},
		"one burst, two buckets":            {1, at(s-2, s-1, s), g(0, s)},
		"two bursts":                        {1, at(1, 2, 9*s, 9*s+1), g(0, 9*s)},
		"steady, as much as is allowed":     {2, at(0, s/2, s, 3*s/2, 2*s), g()},
		"steady, a nanosecond too close":    {2, at(0, s/2, s-1, 3*s/2, 2*s), g(0)},
		"in any order":                      {1, at(s, 3*s, s-1, 0), g(0, s)},
		"before 1970":                       {1, at(-1, -s), g(-s)},
		"before 1970, size apart":           {1, at(-1, -1-s), g()},
		"across 1970":                       {1, at(-1, 0), g(0)},
		"across 1970, size apart":           {1, at(-1, s-1), g()},
		"the last instants there are":       {1, at(math.MaxInt64-1, math.MaxInt64), g(math.MaxInt64 - math.MaxInt64%s)},
		"the ends of time are not close":    {1, at(math.MinInt64, math.MaxInt64), g()},
	}.run(t, Sliding)
}

func TestTumbling(t *testing.T) {
	table{
		"nothing":                     {0, nil, g()},
		"threshold 0, one event":      {0, at(5), g(0)},
		"as many as the threshold":    {2, at(1, 2), g()},
		"one more than the threshold": {2, at(1, 2, 3), g(0)},
		"first and last of a bucket":  {1, at(0, s-1), g(0)},
		"over an edge":                {1, at(s-1, s), g()},
		"from edge to edge":           {1, at(0, s), g()},
		"two buckets, in any order":   {1, at(9*s, 1, 9*s+1, 2, 5*s), g(0, 9*s)},
		"the same instant on an edge": {1, at(s, s), g(s)},
		"before 1970":                 {1, at(-1, -s), g(-s)},
		"across 1970":                 {1, at(-1, 0), g()},
	}.run(t, Tumbling)
}

func TestSession(t *testing.T) {
	table{
		"nothing":                        {0, nil, g()},
		"threshold 0, one event":         {0, at(5), g(5)},
		"as many as the threshold":       {2, at(1, 2), g()},
		"one more than the threshold":    {2, at(1, 2, 3), g(1)},
		"exactly size apart is together": {1, at(7, 7+s), g(7)},
		"a nanosecond more is not":       {1, at(7, 8+s), g()},
		"much longer than size":          {4, at(0, s, 2*s, 3*s, 4*s), g(0)},
		"in any order":                   {2, at(3*s, s, 2*s), g(s)},
		"bridged by the last to arrive":  {2, at(0, 2*s, s), g(0)},
		"two sessions":                   {1, at(0, 1, 5*s, 5*s+1, 9*s), g(0, 5*s)},
		"the same instant":               {1, at(4, 4), g(4)},
		"across 1970":                    {2, at(-1, 0, -s), g(-s)},
		"the ends of time are not close": {1, at(math.MinInt64, math.MaxInt64), g()},
	}.run(t, Session)
}

func TestDistinct(t *testing.T) {
	first := Event{Time: 1, ID: "a", Group: "g"}
	later := Event{Time: 2, ID: "a", Group: "g"}
	other := Event{Time: 1, ID: "b", Group: "g"}
	elsewhere := Event{Time: 1, ID: "a", Group: "h"}
	observed := Event{Time: 1, ID: "a", Group: "g", IDOnly: true}
	again := Event{Time: 9 * s, ID: "a", Group: "g", IDOnly: true}
	observedElsewhere := Event{Time: 1, ID: "a", Group: "h", IDOnly: true}

	for name, test := range map[string]struct{ events, want []Event }{
		"a repeat":                           {[]Event{first, other, first, first}, []Event{first, other}},
		"the same id at another time":        {[]Event{first, later}, []Event{first, later}},
		"another id at the same time":        {[]Event{first, other}, []Event{first, other}},
		"the same in another group":          {[]Event{first, elsewhere}, []Event{first, elsewhere}},
		"by id alone, the first time stands": {[]Event{again, observed}, []Event{again}},
		"by id alone, in another group":      {[]Event{observed, observedElsewhere}, []Event{observed, observedElsewhere}},
		"with a time and without":            {[]Event{first, observed}, []Event{first, observed}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, Distinct(test.events)) })
	}
}

func TestRepeatsDoNotAlert(t *testing.T) {
	event := Event{Time: 3, ID: "a", Group: "g"}
	for _, kind := range []Type{Sliding, Tumbling, Session} {
		assert.Empty(t, Alerts([]Event{event, event, event}, Rule{Type: kind, Size: time.Second, Threshold: 1}))
	}
}

func TestGroupsAreCountedApart(t *testing.T) {
	events := []Event{
		{Time: 3, ID: "a", Group: "h"},
		{Time: 3, ID: "a", Group: "g"},
		{Time: 3, ID: "b", Group: "h"},
		{Time: 3, ID: "b", Group: "i"},
	}
	for _, kind := range []Type{Sliding, Tumbling} {
		assert.Equal(t, []Alert{{"h", 0}}, Alerts(events, Rule{Type: kind, Size: time.Second, Threshold: 1}))
	}
	assert.Equal(t, []Alert{{"h", 3}}, Alerts(events, Rule{Type: Session, Size: time.Second, Threshold: 1}))
}

func TestWindow(t *testing.T) {
	events := append(at(0, 1, s, s, s+1), Event{Time: s, ID: "x", Group: "h"})
	assert.Equal(t, at(0, 1, s, s)[1:], Window(append(events, events...), "g", s, time.Second))
}

func TestBucket(t *testing.T) {
	for time, want := range map[int64]int64{0: 0, 1: 0, s - 1: 0, s: s, -1: -s, -s: -s, -s - 1: -2 * s} {
		assert.Equal(t, want, Bucket(time, 1e9), "bucket of %d", time)
	}
}
