// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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
}

// formula is the memory of docs/memory.md.
func (l load) formula() int64 {
	texts := 0
	if l.id > 0 {
		texts = (min(l.id, 64) + 1) * 5 / 4
	}
	if l.observed {
		texts += 60
	}
	if calls := l.windows * l.events; calls <= 1024 && l.events <= min(16, l.threshold) {
		return 1<<20 + int64(l.groups)*int64(50+calls*(43+texts))
	}
	group := 50
	bucket := 66
	if l.windows > 128 {
		bucket += 16
	}
	if l.events > 1 {
		block := 4
		for block < l.events {
			block *= 2
		}
		bucket += 32*block + 4
	}
	bucket += l.events * texts
	if l.events > l.threshold {
		group += l.windows * (220 + l.name)
	}
	return 1<<20 + int64(l.groups)*int64(group+l.windows*bucket)
}

func (l load) fill(rule detect.Rule) *detect.Detector {
	rule.Threshold = l.threshold
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

// Stats, and the formula of the documentation, agree with
// what is really taken.
func TestMemoryIsAsDocumented(t *testing.T) {
	never := math.MaxInt32
	for name, l := range map[string]load{
		"many groups of one event":           {groups: 100_000, windows: 1, events: 1, name: 90, threshold: never},
		"two events of each":                 {groups: 50_000, windows: 1, events: 2, name: 90, threshold: never},
		"few groups of a hundred events":     {groups: 1_000, windows: 1, events: 100, name: 90, threshold: never},
		"a window for every event":           {groups: 50_000, windows: 5, events: 1, name: 90, threshold: never},
		"fifty windows of each":              {groups: 5_000, windows: 50, events: 1, name: 90, threshold: never},
		"more windows than a sparse list":    {groups: 100, windows: 1100, events: 1, name: 90, threshold: never},
		"many calls in some windows":         {groups: 350, windows: 10, events: 20, name: 90, threshold: never},
		"request ids that are not UUIDs":     {groups: 50_000, windows: 1, events: 2, name: 90, id: 40, threshold: never},
		"request ids that are too long":      {groups: 50_000, windows: 1, events: 2, name: 90, id: 500, threshold: never},
		"the time only when it was observed": {groups: 50_000, windows: 1, events: 4, name: 90, observed: true, threshold: never},
		"an alert for everybody":             {groups: 50_000, windows: 1, events: 1, name: 90},
		"alerts of users with long names":    {groups: 10_000, windows: 1, events: 1, name: 3000},
		"a user in many thousands of calls":  {groups: 60, windows: 1, events: 8_000, name: 90, threshold: never},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			detector := l.fill(detect.Rule{Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour})
			taken := heap() - before
			emitted := detector.Stats().Bytes
			t.Logf("%.1f MiB; stats %+.1f %%, formula %+.1f %%", float64(taken)/(1<<20),
				100*(float64(emitted)/float64(taken)-1), 100*(float64(l.formula())/float64(taken)-1))
			assert.InEpsilon(t, taken, emitted, 0.05, "stats")
			assert.InEpsilon(t, taken, l.formula(), 0.15, "the formula")
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
