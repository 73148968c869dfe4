// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// A detector that is killed again and again emits the same, word for word, as one
// that never stops: nothing counted, no open alert and no record of one is lost.
func TestRestartedDetectorReportsTheSame(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		restarts := 0
		check := func(stream streams.Stream) error {
			n, err := checkRestarts(stream)
			restarts += n
			return err
		}
		for _, seed := range seeds(12) {
			for _, stream := range []streams.Stream{kind.stream(seed), kind.live(seed)} {
				if check(stream) != nil {
					fail(t, stream, check)
				}
			}
		}
		t.Logf("%d restarts", restarts)
		if restarts == 0 {
			t.Error("no restart")
		}
	})
}

func checkRestarts(stream streams.Stream) (restarts int, err error) {
	rng := rand.New(rand.NewPCG(stream.Seed, 4))
	keepAlive, maxDuration := life(stream)
	if rng.IntN(3) == 0 {
		keepAlive = 0
	}
	// Half of the detectors keep their hash, and with it the moments at which each group forgets, and the order of what happened at
	// one time. The others find everything again by what it says.
	var like *detect.Detector
	if stream.Seed%2 == 0 {
		like = detect.New(detect.Rule{})
	}
	lasting, mortal := newKept(stream, keepAlive, maxDuration, like), newKept(stream, keepAlive, maxDuration, like)
	ticks, begun := newClock(stream), stream.Batches[0].Now
	compare := func(what string, one, other []detect.Alert) error {
		for _, alerts := range [...][]detect.Alert{one, other} {
			sortAlerts(alerts)
			for i := range alerts {
				if like == nil { // what happened at one time is listed by a hash, which is another one each time
					alerts[i].RequestIDs, alerts[i].Models, alerts[i].Operations, alerts[i].Regions = nil, nil, nil, nil
				}
			}
		}
		if len(one)+len(other) > 0 && !reflect.DeepEqual(one, other) {
			return fmt.Errorf("%s, after %d restarts: %+v without a restart, %+v with", what, restarts, one, other)
		}
		return nil
	}
	for i, batch := range stream.Batches {
		times := append(ticks.before(batch), batch.Now) // all shards must know what time it is
		for _, now := range times {
			now = time.Unix(0, int64(now.Sub(begun)))
			if err := compare(fmt.Sprintf("ticking before batch %d", i),
				lasting.feeder.detector.Tick(now), mortal.feeder.detector.Tick(now)); err != nil {
				return restarts, err
			}
			mortal.commit()
			if rng.IntN(12) == 0 {
				restarts++
				if rng.IntN(3) == 0 {
					if err := mortal.compact(now); err != nil {
						return restarts, err
					}
				}
				if err := mortal.restart(now); err != nil {
					return restarts, err
				}
			}
		}
		now := time.Unix(0, int64(batch.Now.Sub(begun)))
		if rng.IntN(16) == 0 { // nothing of this call is kept, so the sender brings it again
			mortal.commit()
			mortal.feeder.feed(batch.Events, now)
			restarts++
			if err := mortal.restart(now); err != nil {
				return restarts, err
			}
		}
		if err := compare(fmt.Sprintf("batch %d", i),
			lasting.feeder.feed(batch.Events, now).Alerts, mortal.feeder.feed(batch.Events, now).Alerts); err != nil {
			return restarts, err
		}
		mortal.commit()
	}
	return restarts, nil
}

// kept is a detector with the pages of its journal, as a storage would hold them.
type kept struct {
	stream                 streams.Stream
	keepAlive, maxDuration time.Duration
	like                   *detect.Detector // whose hash to take; nil: one of its own

	feeder  *feeder
	journal *detect.Journal
	pages   map[uint64]detect.Page
}

func newKept(stream streams.Stream, keepAlive, maxDuration time.Duration, like *detect.Detector) *kept {
	k := &kept{stream: stream, keepAlive: keepAlive, maxDuration: maxDuration, like: like, pages: map[uint64]detect.Page{}}
	k.begin().End(time.Unix(0, 0), 1)
	return k
}

// begin makes a new detector.
func (k *kept) begin() (replay *detect.Replay) {
	k.feeder = newFeederFor(k.stream, k.keepAlive, k.maxDuration)
	if k.like != nil {
		k.feeder.detector.HashAs(k.like)
	} else {
		k.feeder.detector.InStep()
	}
	k.journal, replay = k.feeder.detector.EnableJournal()
	return replay
}

func (k *kept) commit() {
	pages, _ := k.journal.Drain(nil)
	for _, page := range pages {
		k.pages[page.Number] = page
	}
}

// compact removes from the pages what need not be known any more.
func (k *kept) compact(now time.Time) error {
	k.feeder.detector.Checkpoint(now)
	before := maps.Clone(k.pages)
	k.commit()
	for number, page := range before {
		if page.Number != k.pages[number].Number || len(page.Body) != len(k.pages[number].Body) {
			continue // it has the alerts
		}
		cleaned, err := k.feeder.detector.Compact(page)
		if err != nil {
			return fmt.Errorf("clean page %d: %w", number, err)
		}
		k.pages[number] = cleaned
	}
	return nil
}

// restart puts what was committed into a new detector.
func (k *kept) restart(now time.Time) error {
	replay := k.begin()
	numbers := make([]uint64, 0, len(k.pages))
	for number := range k.pages {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	last := uint64(0)
	for _, last = range numbers {
		if err := replay.Page(k.pages[last]); err != nil {
			return fmt.Errorf("page %d: %w", last, err)
		}
	}
	if unreported := replay.End(now, last+1); len(unreported) > 0 {
		return fmt.Errorf("emitted after a restart for no reason: %+v", unreported)
	}
	return nil
}

func sortAlerts(alerts []detect.Alert) {
	slices.SortStableFunc(alerts, func(a, b detect.Alert) int {
		return cmp.Or(slices.Compare(a.Group, b.Group), cmp.Compare(a.Opened, b.Opened))
	})
}
