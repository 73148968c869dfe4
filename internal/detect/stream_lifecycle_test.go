// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/testing/streams"
)

// However long alerts live, their records fit together, and no alerting
// window is left out of them.
func TestLifecycleOfStreams(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		for _, seed := range seeds(1) {
			stream := kind.stream(seed)
			if checkLifecycle(stream) != nil {
				fail(t, stream, checkLifecycle)
			}
		}
	})
}

// life draws how long the alerts of a stream live.
func life(stream streams.Stream) (keepAlive, maxDuration time.Duration) {
	rng := rand.New(rand.NewPCG(stream.Seed, 4))
	keepAlives := []time.Duration{
		0, stream.Size / 2, stream.Size, 3 * stream.Size, 20 * stream.Size,
		time.Duration(rng.Int64N(int64(10 * stream.Size))),
	}
	maxDurations := []time.Duration{
		stream.Size, 2 * stream.Size, 5*stream.Size + stream.Size/2, 30 * stream.Size, year * 10,
		stream.Size + time.Duration(rng.Int64N(int64(20*stream.Size))),
	}
	return keepAlives[rng.IntN(len(keepAlives))], maxDurations[rng.IntN(len(maxDurations))]
}

// checkLifecycle feeds a stream and lets time pass now and then, in the end until
// every alert must have been closed.
func checkLifecycle(stream streams.Stream) error {
	keepAlive, maxDuration := life(stream)
	var (
		feed    = newFeederFor(stream, keepAlive, maxDuration)
		ticks   = newClock(stream)
		all     = toOracle(stream.Groups, stream.Events())
		lives   = newLives(stream, all)
		arrived = 0
	)
	fail := func(when string, err error) error {
		return fmt.Errorf("keep alive %v, max duration %v, %s: %w", keepAlive, maxDuration, when, err)
	}
	for i, batch := range stream.Batches {
		for _, now := range ticks.before(batch) {
			if err := lives.enterAll(now, feed.detector.Tick(now), arrived, arrived); err != nil {
				return fail(fmt.Sprintf("tick before batch %d", i), err)
			}
		}
		result := feed.feed(batch.Events, batch.Now)
		before := arrived
		arrived += len(batch.Events)
		if err := lives.enterAll(batch.Now, result.Alerts, before, arrived); err != nil {
			return fail(fmt.Sprintf("batch %d", i), err)
		}
	}
	// First what is due while all is remembered, and then what forgetting leads to.
	now := ticks.last
	quiet := max(keepAlive, stream.Size+stream.Retention)
	for _, pause := range []time.Duration{0, max(keepAlive, stream.Size), 1, 1, quiet, quiet, 10 * quiet} {
		now = now.Add(pause)
		if err := lives.enterAll(now, feed.detector.Tick(now), arrived, arrived); err != nil {
			return fail("quiet", err)
		}
		if pause == 1 {
			if err := lives.allClosed(arrived); err != nil {
				return fail("quiet", err)
			}
		}
	}
	if again := feed.detector.Tick(now.Add(quiet)); len(again) > 0 {
		return fail("quiet", fmt.Errorf("nothing happened, and yet %#v", again))
	}
	if err := lives.cover(all); err != nil {
		return fail("in the end", err)
	}
	if err := lives.noneExtra(all); err != nil {
		return fail("in the end", err)
	}
	return nil
}
