// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// load is what a detector is filled with.
type load struct {
	groups, windows, events int // groups, windows of each, events of each window
	name                    int // bytes of a group's key
	id                      int // bytes of a request id; 0: a UUID
	observed                bool
	threshold               int
	waiting                 bool // for an intervention
}

// formula returns the memory of docs/memory.md for groups whose calls are far from each other,
// or wait.
func (l load) formula() int64 {
	if l.waiting {
		return 1<<20 + int64(l.groups)*40 + l.calls()*50
	}
	return 1<<20 + int64(l.groups)*50 + l.calls()*43
}

// maxFormula returns the most that it says of any others.
func (l load) maxFormula() int64 {
	return 1<<20 + int64(l.groups)*50 + l.calls()*107
}

func (l load) calls() int64 { return int64(l.groups * l.windows * l.events) }

func (l load) fill(rule detect.Rule) *detect.Detector {
	rule.Threshold = l.threshold
	if l.waiting {
		rule.AfterIntervention = time.Hour
	}
	detector := detect.New(rule)
	name := strings.Repeat("n", l.name-12)
	batch := make([]detect.Event, 0, 1000)
	serial := 0
	for group := range l.groups {
		key := detect.AppendKey(nil, fmt.Sprintf("%s%011d", name, group))
		for window := range l.windows {
			for i := range l.events {
				id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", serial)
				if l.id > 0 {
					id = fmt.Sprintf("%0*d", l.id, serial)
				}
				serial++
				if batch = append(batch, detect.Event{
					Time: noon.UnixNano() + int64(window)*int64(rule.Size) + int64(i),
					Key:  key, ID: id, RequestID: id, IDOnly: l.observed, Model: "model", Operation: "Converse", Region: "eu-central-1",
				}); len(batch) == cap(batch) {
					detector.Observe(batch, noon)
					batch = batch[:0]
				}
			}
		}
	}
	detector.Observe(batch, noon)
	return detector
}

// Stats, the formula and the examples of the documentation agree with the memory that is
// really taken.
func TestMemoryIsAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	document, err := os.ReadFile("../../docs/memory.md")
	require.NoError(t, err)
	never := math.MaxInt32
	for name, test := range map[string]struct {
		load
		mib    float64 // as documented
		sparse bool    // the formula holds
	}{
		"100,000 users, a call each":                     {load{groups: 100_000, windows: 1, events: 1, name: 90, threshold: never}, 9.3, true},
		"50,000 users, two calls each":                   {load{groups: 50_000, windows: 1, events: 2, name: 90, threshold: never}, 6.8, true},
		"50,000 users, a call in each of 5 windows":      {load{groups: 50_000, windows: 5, events: 1, name: 90, threshold: never}, 12.9, true},
		"5,000 users, a call in each of 50 windows":      {load{groups: 5_000, windows: 50, events: 1, name: 90, threshold: never}, 10.8, true},
		"100 users, a call in each of 1,100 windows":     {load{groups: 100, windows: 1100, events: 1, name: 90, threshold: never}, 9.0, false},
		"350 users, 20 calls in each of 10 windows":      {load{groups: 350, windows: 10, events: 20, name: 90, threshold: never}, 4.7, false},
		"1,000 users, 100 calls in one window":           {load{groups: 1_000, windows: 1, events: 100, name: 90, threshold: never}, 4.3, false},
		"60 users, 8,000 calls in one window":            {load{groups: 60, windows: 1, events: 8_000, name: 90, threshold: never}, 15.6, false},
		"50,000 users, two request IDs of 40 bytes each": {load{groups: 50_000, windows: 1, events: 2, name: 90, id: 40, threshold: never}, 11.0, false},
		"50,000 users, two request IDs of 500 bytes":     {load{groups: 50_000, windows: 1, events: 2, name: 90, id: 500, threshold: never}, 13.5, false},
		"50,000 users, 4 calls without a time":           {load{groups: 50_000, windows: 1, events: 4, name: 90, observed: true, threshold: never}, 20.9, false},
		"50,000 users, an alert each":                    {load{groups: 50_000, windows: 1, events: 1, name: 90}, 19.9, false},
		"10,000 users, an alert with 3,000 bytes each":   {load{groups: 10_000, windows: 1, events: 1, name: 3000}, 32.6, false},
		"100,000 users, a call each that waits":          {load{groups: 100_000, windows: 1, events: 1, name: 90, threshold: 5, waiting: true}, 9.1, true},
		"60 users, 8,000 calls each that wait":           {load{groups: 60, windows: 1, events: 8_000, name: 90, threshold: 5, waiting: true}, 22.8, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			detector := test.fill(detect.Rule{Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour})
			taken := heap() - before
			stats := detector.Stats().Bytes
			t.Logf("%.1f MiB; stats %+.1f %%, formula %+.1f %%", float64(taken)/(1<<20),
				100*(float64(stats)/float64(taken)-1), 100*(float64(test.formula())/float64(taken)-1))
			assert.InEpsilon(t, taken, stats, 0.05, "stats")
			assert.InEpsilon(t, test.mib*(1<<20), taken, 0.15, "the example")
			assert.Contains(t, string(document), fmt.Sprintf("| %s | %.1f MiB |", name, test.mib))
			if test.sparse {
				assert.InEpsilon(t, taken, test.formula(), 0.15, "the formula")
			} else if test.id == 0 && !test.observed && test.threshold == never {
				assert.LessOrEqual(t, taken, test.maxFormula())
			}
			runtime.KeepAlive(detector)
		})
	}
}

// heap returns the bytes of it that are in use.
func heap() int64 {
	runtime.GC() // twice, since what lies in a pool survives the first
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.HeapAlloc)
}
