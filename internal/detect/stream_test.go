// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

var (
	streamCount = flag.Uint64("streams", defaultStreams, "how many streams to compare with the oracle")
	streamSeed  = flag.Uint64("seed", 0, "compare this one stream only")
)

// shareOfStreams returns how many times to run what is run for a share of the streams. With -short, a
// few must do.
func shareOfStreams(share uint64) uint64 {
	count := *streamCount
	if testing.Short() {
		count = min(count, 10)
	}
	return max(count/share, 1)
}

// seeds are the streams to run: a share of all, or the one asked for.
func seeds(share uint64) []uint64 {
	if *streamSeed != 0 {
		return []uint64{*streamSeed}
	}
	all := make([]uint64, shareOfStreams(share))
	for i := range all {
		all[i] = uint64(i) + 1
	}
	return all
}

// fail reports a seed, together with as little of its stream as still fails.
func fail(t *testing.T, stream streams.Stream, check func(streams.Stream) error) {
	t.Helper()
	small := shrink(stream, check)
	t.Fatalf("go test ./internal/detect -run '^%s$' -seed=%d\n%v\nminimal: %v\n%s",
		strings.ReplaceAll(t.Name(), "/", "$/^"), stream.Seed, check(stream), check(small), show(small))
}

// windows are the kinds that every test of streams runs for.
var windows = map[string]oracle.Type{
	"sliding": oracle.Sliding, "tumbling": oracle.Tumbling, "session": oracle.Session,
}

// eachWindow runs a test for every kind of window.
func eachWindow(t *testing.T, test func(*testing.T, oracle.Type)) {
	t.Helper()
	for _, name := range []string{"sliding", "tumbling", "session"} {
		t.Run(name, func(t *testing.T) { test(t, windows[name]) })
	}
}

// streamKind is a kind of stream that tests run for: that of a kind of window, for a rule that counts
// all calls or only those after an intervention.
type streamKind struct {
	window oracle.Type
	after  bool
}

// stream returns the stream of a seed, all of which is remembered together.
func (k streamKind) stream(seed uint64) streams.Stream {
	if k.after {
		return streams.NewAfter(seed, k.window)
	}
	return streams.New(seed, k.window)
}

// live returns the stream of a seed that lasts longer than anything is remembered.
func (k streamKind) live(seed uint64) streams.Stream {
	if k.after {
		return streams.LiveAfter(seed, k.window)
	}
	return streams.Live(seed, k.window)
}

// eachKind runs a test for every kind of stream.
func eachKind(t *testing.T, test func(*testing.T, streamKind)) {
	t.Helper()
	eachWindow(t, func(t *testing.T, window oracle.Type) { test(t, streamKind{window: window}) })
	for _, name := range []string{"sliding", "tumbling", "session"} {
		t.Run(name+" after an intervention", func(t *testing.T) { test(t, streamKind{windows[name], true}) })
	}
}

// No alert is missed, none is too much, none comes twice, whatever arrives how.
func TestStreams(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		var fed statistics
		for _, seed := range seeds(1) {
			stream := kind.stream(seed)
			if check(stream) != nil {
				fail(t, stream, check)
			}
			fed.add(stream)
		}
		t.Log(fed)
		if len(fed.events) >= 500 {
			fed.require(t)
		}
	})
}

// Traffic that lasts for days alerts as if nothing were ever forgotten.
func TestLiveStreams(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		var fed statistics
		for _, seed := range seeds(2) {
			stream := kind.live(seed)
			if check(stream) != nil {
				fail(t, stream, check)
			}
			fed.add(stream)
		}
		t.Log(fed)
	})
}

// When timers run, or whether, opens no alert and holds none back.
func TestTimeChangesNoAlert(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		for _, seed := range seeds(5) {
			stream := kind.stream(seed)
			if checkTimeless(stream) != nil {
				fail(t, stream, checkTimeless)
			}
		}
	})
}

func checkTimeless(stream streams.Stream) error {
	ticking, still, ticks := newFeeder(stream), newFeeder(stream), newClock(stream)
	with, without := newLedger(stream.Rule()), newLedger(stream.Rule())
	for i, batch := range stream.Batches {
		for _, now := range ticks.before(batch) {
			if err := tick(ticking, with, now); err != nil {
				return fmt.Errorf("before batch %d: %w", i, err)
			}
		}
		with.enter(ticking.feed(batch.Events, batch.Now).Alerts)
		without.enter(still.feed(batch.Events, batch.Now).Alerts)
		if !maps.Equal(with.opened, without.opened) {
			return fmt.Errorf("batch %d: %v opened with time passing, %v without", i, with.opened, without.opened)
		}
	}
	return nil
}

// statistics say whether the streams were worth the while.
type statistics struct {
	events                                                             []int
	total, alerts                                                      int
	alerting, edgeBursts, gapTies, closeCalls, ties, repeats, disorder int // streams that have any
	interventions, late, edges, misses                                 int
}

func (s *statistics) add(stream streams.Stream) {
	stats := stream.Stats()
	alerts := len(oracle.Alerts(toOracle(stream.Groups, stream.Events()), stream.Rule()))
	s.events = append(s.events, stats.Events)
	s.total += stats.Events
	s.alerts += alerts
	for count, has := range map[*int]int{
		&s.alerting:   alerts,
		&s.edgeBursts: stats.EdgeBursts,
		&s.gapTies:    stats.GapTies,
		&s.closeCalls: stats.CloseCalls,
		&s.ties:       stats.Ties,
		&s.repeats:    stats.Repeats,
		&s.disorder:   stats.Disorder,

		&s.interventions: stats.Interventions,
		&s.late:          stats.LateFollowed,
		&s.edges:         stats.EdgeFollowed,
		&s.misses:        stats.EdgeMissed,
	} {
		if has > 0 {
			*count++
		}
	}
}

func (s statistics) String() string {
	text := fmt.Sprintf("%d streams, %d events (median %d), %d alerts; of the streams %d%% alert, and have "+
		"bursts over an edge %d%%, events exactly one window apart %d%% (decisive %d%%), ties %d%%, repeats %d%%, disorder %d%%",
		len(s.events), s.total, s.median(), s.alerts, s.percent(s.alerting),
		s.percent(s.edgeBursts), s.percent(s.gapTies), s.percent(s.closeCalls), s.percent(s.ties), s.percent(s.repeats), s.percent(s.disorder))
	if s.interventions > 0 {
		text += fmt.Sprintf("; interventions %d%%, that arrive after calls they let count %d%%, decisive at the first instant %d%%, "+
			"missing calls by a nanosecond or at their own time %d%%",
			s.percent(s.interventions), s.percent(s.late), s.percent(s.edges), s.percent(s.misses))
	}
	return text
}

func (s statistics) require(t *testing.T) {
	if s.interventions > 0 {
		if min(s.percent(s.alerting), s.percent(s.late), s.percent(s.edges), s.percent(s.misses)) < 30 {
			t.Error("interventions that are too easy")
		}
		return
	}
	if s.median() < 200 || s.percent(s.alerting) < 60 || s.percent(s.alerting) > 95 {
		t.Error("streams that are too short, alert too rarely, or always")
	}
	if min(s.percent(s.edgeBursts), s.percent(s.gapTies), s.percent(s.closeCalls), s.percent(s.repeats), s.percent(s.disorder)) < 20 {
		t.Error("streams that are too easy")
	}
}

func (s statistics) median() int { return slices.Sorted(slices.Values(s.events))[len(s.events)/2] }

func (s statistics) percent(streams int) int { return 100 * streams / len(s.events) }
