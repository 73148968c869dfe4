// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/oracle"
	"example.com/otelcol-guardrail/internal/streams"
)

// A detector that is killed again and again tells the same, word for word, as one
// that never stops: what was counted, which alerts are open, what they said last.
func TestRestartedDetectorTellsTheSame(t *testing.T) {
	eachWindow(t, func(t *testing.T, window oracle.Type) {
		restarts := 0
		check := func(stream streams.Stream) error {
			n, err := checkRestarts(stream)
			restarts += n
			return err
		}
		for _, seed := range seeds(40) {
			for _, stream := range []streams.Stream{streams.New(seed, window), streams.Live(seed, window)} {
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
	uuids := stream.Seed%2 == 0
	if rng.IntN(3) == 0 {
		keepAlive = 0
	}
	lasting, mortal := newKept(stream, keepAlive, maxDuration, uuids), newKept(stream, keepAlive, maxDuration, uuids)
	ticks, begun := newClock(stream), stream.Batches[0].Now
	compare := func(what string, one, other []detect.Alert) error {
		for _, alerts := range [...][]detect.Alert{one, other} {
			sortAlerts(alerts)
			for i := range alerts {
				if !uuids { // of one time those are listed by a hash, which is another one each time
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
			if rng.IntN(4) == 0 {
				restarts++
				if rng.IntN(4) == 0 {
					mortal.feeder.detector.Checkpoint(now)
					mortal.commit()
				}
				if err := mortal.restart(now); err != nil {
					return restarts, err
				}
			}
		}
		now := time.Unix(0, int64(batch.Now.Sub(begun)))
		if rng.IntN(8) == 0 { // nothing of this call is kept, so the sender brings it again
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

	feeder  *feeder
	journal *detect.Journal
	pages   map[uint64]detect.Page
}

func newKept(stream streams.Stream, keepAlive, maxDuration time.Duration, uuids bool) *kept {
	k := &kept{stream: stream, keepAlive: keepAlive, maxDuration: maxDuration, pages: map[uint64]detect.Page{}}
	k.feeder = newFeederFor(stream, keepAlive, maxDuration)
	k.feeder.uuids = uuids
	k.journal, _ = k.begin(time.Unix(0, 0), 1)
	return k
}

func (k *kept) begin(now time.Time, next uint64) (*detect.Journal, []detect.Alert) {
	journal, replay := k.feeder.detector.Keep()
	return journal, replay.End(now, next)
}

func (k *kept) commit() {
	for _, page := range k.journal.Take(nil) {
		k.pages[page.Number] = page
	}
}

// restart makes a new detector know what was committed.
func (k *kept) restart(now time.Time) error {
	uuids := k.feeder.uuids
	k.feeder = newFeederFor(k.stream, k.keepAlive, k.maxDuration)
	k.feeder.uuids = uuids
	journal, replay := k.feeder.detector.Keep()
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
	k.journal = journal
	if untold := replay.End(now, last+1); len(untold) > 0 {
		return fmt.Errorf("told after a restart for no reason: %+v", untold)
	}
	return nil
}

func sortAlerts(alerts []detect.Alert) {
	slices.SortStableFunc(alerts, func(a, b detect.Alert) int {
		return cmp.Or(slices.Compare(a.Group, b.Group), cmp.Compare(a.Opened, b.Opened))
	})
}
