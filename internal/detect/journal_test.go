// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A storage that hangs for hours must not take the collector's memory.
func TestJournalIsBoundedWhileNobodyDrainsIt(t *testing.T) {
	detector := New(Rule{Threshold: 1e6, Size: time.Minute, Retention: time.Hour})
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	long := strings.Repeat("x", maxPageSize/2)
	const written = 3 * maxSealed
	for i := range 2 * written {
		detector.Observe([]Event{at("alice", long+strconv.Itoa(i), noon)}, running(0))
	}
	pages, lost := journal.Drain(nil)
	assert.Equal(t, written-maxSealed, lost)
	require.Len(t, pages, maxSealed)
	last := pages[len(pages)-1].Number
	assert.Equal(t, uint64(written), last, "the newest are kept")
	assert.Equal(t, last-maxSealed+1, pages[0].Number)

	// What is kept can be read, and the journal continues.
	detector.Observe([]Event{at("bob", "1", noon)}, running(0))
	pages, lost = journal.Drain(pages)
	assert.Zero(t, lost)
	assert.Equal(t, last+1, pages[len(pages)-1].Number)
	restarted := New(Rule{Threshold: 1e6, Size: time.Minute, Retention: time.Hour})
	_, replay = restarted.EnableJournal()
	for _, page := range pages {
		require.NoError(t, replay.Page(page))
	}
	assert.Equal(t, 2*maxSealed+1, replay.Events())
	assert.Empty(t, replay.End(running(0), last+2))
	assert.Equal(t, 2, restarted.Stats().Groups)
}

// A page belongs to one generation of arrival, so that it can be deleted as a
// whole; one that was drained is added to until it has some size.
func TestPagesEndWithTheirGeneration(t *testing.T) {
	detector := New(hourly())
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 7)
	var pages []Page
	step := func(arrival time.Duration) {
		detector.Observe([]Event{at("alice", strconv.Itoa(len(pages)), noon)}, running(arrival))
		pages, _ = journal.Drain(pages)
	}
	generation := (hourly().Size+hourly().Retention)/(Generations-1) + 1
	step(0)
	step(generation - 1)
	step(generation)
	require.Len(t, pages, 3)
	assert.Equal(t, []uint64{7, 7, 8}, []uint64{pages[0].Number, pages[1].Number, pages[2].Number})
	assert.Equal(t, []int64{0, 0, int64(generation)}, []int64{pages[0].Arrived, pages[1].Arrived, pages[2].Arrived})
	assert.Equal(t, pages[0].Body, pages[1].Body[:len(pages[0].Body)], "what was drained does not change")
	assert.Equal(t, uint32(0), journal.Generation(pages[1].Arrived))
	assert.Equal(t, uint32(1), journal.Generation(pages[2].Arrived))

	detector.Tick(running(generation))
	fresh, _ := journal.Drain(nil)
	assert.Empty(t, fresh, "nothing new")

	for len(pages[len(pages)-1].Body) < drainedPageSize {
		step(generation)
	}
	full := pages[len(pages)-1].Number
	step(generation)
	assert.Equal(t, full+1, pages[len(pages)-1].Number, "a full page is not written again")
}

// A call that is known by its ID alone is known after a restart, even if a flood has discarded its event and the journal
// was compacted since.
func TestCompactionKeepsTheIDsOfDiscardedCalls(t *testing.T) {
	const flood = 9_500
	calls := func(when time.Time) (events []Event) {
		for i := range flood {
			event := at("alice", strconv.Itoa(i), when.Add(time.Duration(i)))
			event.IDOnly = true
			events = append(events, event)
		}
		return events
	}
	detector := New(hourly())
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	require.Zero(t, detector.Observe(calls(noon), running(0)).Repeats)
	pages, _ := journal.Drain(nil)

	restarted := New(hourly())
	_, replay = restarted.EnableJournal()
	for _, page := range pages {
		compacted, err := detector.Compact(page)
		require.NoError(t, err)
		require.NoError(t, replay.Page(compacted))
	}
	replay.End(running(time.Second), pages[len(pages)-1].Number+1)
	again := calls(noon.Add(time.Hour))
	assert.Equal(t, flood, restarted.Observe(again, running(time.Second)).Repeats)
}

// A total never exceeds the calls that were made, even if a flood is sent again after the journal was compacted, which
// drops the calls that the flood has discarded, and a restart.
func TestFloodThatIsSentAgainAfterARestartIsALowerBound(t *testing.T) {
	const flood = 9_500
	var calls []Event
	for i := range flood {
		calls = append(calls, at("alice", strconv.Itoa(i), noon.Add(time.Duration(i))))
	}
	for name, window := range map[string]WindowType{"sliding": Sliding, "tumbling": Tumbling, "session": Session} {
		t.Run(name, func(t *testing.T) {
			rule := hourly()
			rule.Window = window
			detector := New(rule)
			journal, replay := detector.EnableJournal()
			replay.End(running(0), 1)
			require.NotEmpty(t, detector.Observe(calls, running(0)).Alerts)
			pages, _ := journal.Drain(nil)
			detector.Checkpoint(running(0))
			checkpoint, _ := journal.Drain(nil)

			restarted := New(rule)
			_, replay = restarted.EnableJournal()
			for _, page := range pages {
				compacted, err := detector.Compact(page)
				require.NoError(t, err)
				require.NoError(t, replay.Page(compacted))
			}
			for _, page := range checkpoint {
				require.NoError(t, replay.Page(page))
			}
			require.Less(t, replay.Events(), flood, "some were discarded")
			assert.Empty(t, replay.End(running(time.Second), 1_000))
			restarted.Observe(calls, running(time.Second))
			emitted := restarted.Tick(running(24 * time.Hour))
			require.Len(t, emitted, 1)
			assert.False(t, emitted[0].Exact)
			assert.LessOrEqual(t, emitted[0].Count, flood)
			assert.NoError(t, restarted.Consistent())
		})
	}
}
