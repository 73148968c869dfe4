// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"sync"
	"testing"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// Sources that deliver at the same time share what is counted: together they
// raise every alert, and each only once.
func TestConcurrentSourcesAreCountedTogether(t *testing.T) {
	eachKind(t, concurrentSources)
}

func concurrentSources(t *testing.T, kind streamKind) {
	t.Helper()
	const sources = 8
	for _, seed := range seeds(5) {
		stream := kind.stream(seed)
		events := withOriginalTimes(stream)
		start := stream.Batches[0].Now

		var (
			shared  = newFeeder(stream)
			ready   = make(chan struct{})
			done    sync.WaitGroup
			mutex   sync.Mutex
			ledger  = newLedger(stream.Rule())
			timed   []detect.Alert
			repeats = 0
		)
		for source := range sources {
			done.Go(func() {
				feed := shared.sharing()
				<-ready
				taken := 0
				for i, batch := range stream.Batches {
					taken += len(batch.Events)
					if i%sources != source {
						continue
					}
					result := feed.feed(events[taken-len(batch.Events):taken], batch.Now)
					mutex.Lock()
					repeats += result.Repeats
					ledger.enter(result.Alerts)
					mutex.Unlock()
				}
			})
		}
		done.Go(func() {
			<-ready
			for _, batch := range stream.Batches {
				timed = append(timed, shared.detector.Tick(batch.Now)...)
			}
		})
		close(ready)
		done.Wait()

		all := toOracle(stream.Groups, events)
		for _, record := range timed {
			if record.State != detect.Closed || ledger.opened[named(record)] == 0 {
				t.Fatalf("seed %d: time alone made %#v", seed, record)
			}
		}
		if err := ledger.compare(all); err != nil {
			t.Fatalf("seed %d, %d batches from %v: %v", seed, len(stream.Batches), start, err)
		}
		if want := oracle.Repeats(all); repeats != want {
			t.Fatalf("seed %d: %d repeats recognised, not %d", seed, repeats, want)
		}
	}
}

// withOriginalTimes returns the events of a stream with every repeat at the time of its
// original: which of two times counts would depend on the order of arrival.
func withOriginalTimes(stream streams.Stream) []streams.Event {
	type id struct {
		group int
		id    string
	}
	first := map[id]int64{}
	events := stream.Events()
	for i, event := range events {
		if !event.IDOnly {
			continue
		}
		if time, ok := first[id{event.Group, event.ID}]; ok {
			events[i].Time = time
		} else {
			first[id{event.Group, event.ID}] = event.Time
		}
	}
	return events
}
