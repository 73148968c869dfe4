// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math/rand/v2"
	"time"
	"unsafe"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// feeder hands events to a detector in memory that it destroys afterwards, as
// the batch's owner may.
type feeder struct {
	detector *detect.Detector
	groups   [][]string
	events   []detect.Event
	memory   []byte
}

const year = 365 * 24 * time.Hour

// newFeeder makes a detector for a stream's rule: every alerting bucket its own
// alert, and nothing held back.
func newFeeder(stream streams.Stream) *feeder { return newFeederFor(stream, 0, year) }

func newFeederFor(stream streams.Stream, keepAlive, maxDuration time.Duration) *feeder {
	windows := map[oracle.Type]detect.WindowType{
		oracle.Sliding: detect.Sliding, oracle.Tumbling: detect.Tumbling, oracle.Session: detect.Session,
	}
	return &feeder{
		groups: stream.Groups,
		detector: detect.New(detect.Rule{
			Window:      windows[stream.Window],
			Threshold:   stream.Threshold,
			Size:        stream.Size,
			KeepAlive:   keepAlive,
			MaxDuration: maxDuration,
			Retention:   stream.Retention,

			AfterIntervention: stream.AfterIntervention,
		}),
	}
}

// sharing makes another feeder of the same detector.
func (f *feeder) sharing() *feeder {
	return &feeder{detector: f.detector, groups: f.groups}
}

func (f *feeder) feed(events []streams.Event, now time.Time) detect.Result {
	f.events, f.memory = f.events[:0], f.memory[:0]
	for _, event := range events {
		f.events = append(f.events, detect.Event{
			Time:      event.Time,
			Key:       f.key(f.groups[event.Group]),
			ID:        f.text(event.ID),
			IDOnly:    event.IDOnly,
			Presumed:  event.Presumed,
			Kind:      f.text(kind(event)),
			RequestID: f.text(event.ID),
			Model:     f.text(event.Model),
			Operation: f.text(operation(event)),
			Region:    f.text(region(event)),

			Intervened:  event.Intervened,
			Uncounted:   event.Uncounted,
			GuardrailID: f.text(event.Guardrail),
		})
	}
	result := f.detector.Observe(f.events, now)
	for i := range f.memory {
		f.memory[i] = '#'
	}
	clear(f.events)
	return result
}

func (f *feeder) key(values []string) []byte {
	start := len(f.memory)
	for _, value := range values {
		f.memory = detect.AppendKey(f.memory, value)
	}
	return f.memory[start:len(f.memory):len(f.memory)]
}

func (f *feeder) text(text string) string {
	start := len(f.memory)
	f.memory = append(f.memory, text...)
	return unsafe.String(unsafe.SliceData(f.memory[start:]), len(text))
}

// clock says when to tick before a batch: now and then, at any time since the
// batch before. The same stream always ticks alike.
type clock struct {
	rng  *rand.Rand
	last time.Time
}

func newClock(stream streams.Stream) *clock {
	return &clock{rng: rand.New(rand.NewPCG(stream.Seed, 3)), last: stream.Batches[0].Now}
}

func (c *clock) before(batch streams.Batch) (ticks []time.Time) {
	for c.rng.IntN(3) == 0 {
		if pause := batch.Now.Sub(c.last); pause > 0 {
			c.last = c.last.Add(time.Duration(c.rng.Int64N(int64(pause) + 1)))
		}
		ticks = append(ticks, c.last)
	}
	c.last = batch.Now
	return ticks
}

// kind depends on the region, so that there are no more profiles than are kept.
func kind(event streams.Event) string { return "kind-" + string('0'+event.ID[len(event.ID)-1]%3) }

func operation(event streams.Event) string { return "operation-" + event.Model[len(event.Model)-1:] }

func region(event streams.Event) string { return "region-" + event.ID[len(event.ID)-1:] }

// groupName is how the oracle knows a group.
func groupName(values []string) string { return fmt.Sprintf("%q", values) }

func named(alert detect.Alert) oracle.Alert {
	return oracle.Alert{Group: groupName(alert.Group), Start: alert.Opened}
}

func toOracle(groups [][]string, events []streams.Event) []oracle.Event {
	converted := make([]oracle.Event, len(events))
	for i, event := range events {
		converted[i] = oracle.Event{
			Time: event.Time, ID: event.ID, IDOnly: event.IDOnly, Group: groupName(groups[event.Group]),
			Intervened: event.Intervened, Uncounted: event.Uncounted,
		}
	}
	return converted
}
