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
func TestJournalIsBoundedWhileNobodyTakesIt(t *testing.T) {
	detector := New(Rule{Threshold: 1e6, Size: time.Minute, Retention: time.Hour})
	journal, replay := detector.Keep()
	replay.End(running(0), 1)
	long := strings.Repeat("x", pageMost/2)
	const written = 3 * sealedMost
	for i := range 2 * written {
		detector.Observe([]Event{at("alice", long+strconv.Itoa(i), noon)}, running(0))
	}
	pages := journal.Take(nil)
	require.Len(t, pages, sealedMost)
	last := pages[len(pages)-1].Number
	assert.Equal(t, uint64(written), last, "the newest are kept")
	assert.Equal(t, last-sealedMost+1, pages[0].Number)

	// What is kept can be read, and the journal goes on.
	detector.Observe([]Event{at("bob", "1", noon)}, running(0))
	pages = journal.Take(pages)
	assert.Equal(t, last+1, pages[len(pages)-1].Number)
	restarted := New(Rule{Threshold: 1e6, Size: time.Minute, Retention: time.Hour})
	_, replay = restarted.Keep()
	for _, page := range pages {
		require.NoError(t, replay.Page(page))
	}
	assert.Equal(t, 2*sealedMost+1, replay.Events())
	assert.Equal(t, 2, restarted.Stats().Groups)
}

// A page belongs to one generation of arrival, so that it can be forgotten as a
// whole; one that was taken out is added to until it has some size.
func TestPagesEndWithTheirGeneration(t *testing.T) {
	detector := New(hourly())
	journal, replay := detector.Keep()
	replay.End(running(0), 7)
	var pages []Page
	step := func(arrival time.Duration) []Page {
		detector.Observe([]Event{at("alice", strconv.Itoa(len(pages)), noon)}, running(arrival))
		pages = append(pages, journal.Take(nil)...)
		return pages
	}
	generation := (hourly().Size+hourly().Retention)/(Generations-1) + 1
	step(0)
	step(generation - 1)
	step(generation)
	require.Len(t, pages, 3)
	assert.Equal(t, []uint64{7, 7, 8}, []uint64{pages[0].Number, pages[1].Number, pages[2].Number})
	assert.Equal(t, []int64{0, 0, int64(generation)}, []int64{pages[0].Arrived, pages[1].Arrived, pages[2].Arrived})
	assert.Equal(t, pages[0].Body, pages[1].Body[:len(pages[0].Body)], "what was taken out does not change")
	assert.Equal(t, uint32(0), journal.Generation(pages[1].Arrived))
	assert.Equal(t, uint32(1), journal.Generation(pages[2].Arrived))

	detector.Tick(running(generation))
	assert.Empty(t, journal.Take(nil), "nothing new")

	for len(pages[len(pages)-1].Body) < pageFull {
		step(generation)
	}
	full := pages[len(pages)-1].Number
	step(generation)
	assert.Equal(t, full+1, pages[len(pages)-1].Number, "a full page is not written again")
}
