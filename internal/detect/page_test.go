// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// contents are the entries of a page.
type contents []any // Event, openAlert or limiterEntry

// write makes a page of them.
func (c contents) write() []byte {
	var w pageWriter
	for _, e := range c {
		switch e := e.(type) {
		case Event:
			w.event(&e)
		case openAlert:
			w.alert(&e)
		case limiterEntry:
			w.limiter(&limiter{start: e.start, since: e.since, told: e.told, opened: e.opened, untold: e.untold})
		}
	}
	return w.body
}

// read gives the entries of a page, up to a fault.
func read(body []byte) (c contents, fault string) {
	p := pageReader{rest: body}
	for len(p.rest) > 0 {
		kind, e := p.next()
		switch {
		case p.failed != "":
			return c, p.failed
		case kind == entryEvent:
			c = append(c, e.event.asEvent())
		case kind == entryAlert:
			c = append(c, e.alert.openAlert)
		case kind == entryLimiter:
			c = append(c, e.limiter)
		}
	}
	return c, ""
}

// asEvent gives back what was observed.
func (e *eventEntry) asEvent() Event {
	event := Event{
		Time: e.time, Key: []byte(e.key), ID: e.text, Model: e.model, Operation: e.operation, Region: e.region,
		Presumed: e.flags&journalPresumed != 0, IDOnly: e.flags&journalIDOnly != 0,
	}
	if e.flags&journalUUID != 0 {
		event.ID = formatUUID(e.id)
	}
	if e.flags&journalRequestID != 0 {
		event.RequestID = event.ID
	}
	return event
}

// What is written into a page comes out of it again, whatever names, ids and times are told.
func TestPageGivesBackWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContents(t)
		got, fault := read(c.write())
		require.Empty(t, fault)
		require.Equal(t, c, got)
	})
}

func drawContents(t *rapid.T) contents {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "anthropic.claude", "us-east-1", "a\x00b", "\xff"}))
	keys := rapid.Map(rapid.SliceOfN(texts, 1, 3), func(values []string) string {
		var key []byte
		for _, value := range values {
			key = AppendKey(key, value)
		}
		return string(key)
	})
	ids := rapid.OneOf(texts, rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) string {
		return uuid.UUID(b).String()
	}), rapid.Just("0190F6A0-0000-7000-8000-00000000000A")) // upper case is another id
	times := rapid.OneOf(rapid.Int64(), rapid.Int64Range(1.7e18, 1.8e18), rapid.SampledFrom([]int64{math.MinInt64, 0, math.MaxInt64}))
	instants := rapid.Map(times, func(ns int64) time.Time { return time.Unix(0, ns) })
	perhaps := rapid.OneOf(instants, rapid.Just(time.Time{}))
	counts := rapid.IntRange(0, math.MaxInt)

	event := rapid.Custom(func(t *rapid.T) any {
		e := Event{
			Time: times.Draw(t, "time"), Key: []byte(keys.Draw(t, "key")), ID: ids.Draw(t, "id"),
			IDOnly: rapid.Bool().Draw(t, "id only"), Presumed: rapid.Bool().Draw(t, "presumed"),
			Model: texts.Draw(t, "model"), Operation: texts.Draw(t, "operation"), Region: texts.Draw(t, "region"),
		}
		if rapid.Bool().Draw(t, "request id") {
			e.RequestID = e.ID
		}
		return e
	})
	alert := rapid.Custom(func(t *rapid.T) any {
		a := openAlert{
			key: keys.Draw(t, "key"), opened: times.Draw(t, "opened"), from: times.Draw(t, "from"),
			first: rapid.Int64Range(math.MinInt64/2, math.MaxInt64/2).Draw(t, "first"),
			count: counts.Draw(t, "count"), presumed: counts.Draw(t, "presumed"),
			escalations: rapid.IntRange(0, maxEscalations).Draw(t, "escalations"), changed: instants.Draw(t, "changed"),
		}
		a.to = rapid.Int64Min(a.from).Draw(t, "to")
		a.last = rapid.Int64Min(a.first).Draw(t, "last")
		if a.last-a.first < 0 {
			a.last = a.first
		}
		for _, flag := range []*bool{&a.inexact, &a.lossy, &a.closed, &a.corrected, &a.muted, &a.summed, &a.dropped} {
			*flag = rapid.Bool().Draw(t, "flag")
		}
		return a
	})
	limit := rapid.Custom(func(t *rapid.T) any {
		return limiterEntry{
			start: perhaps.Draw(t, "start"), since: perhaps.Draw(t, "since"), told: perhaps.Draw(t, "told"),
			opened: counts.Draw(t, "opened"), untold: counts.Draw(t, "untold"),
		}
	})
	return rapid.SliceOfN(rapid.OneOf(event, event, alert, limit), 1, 20).Draw(t, "entries")
}

// Names of no real length are cut, so that they cannot fill the storage.
func TestPageCutsNames(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	body := contents{Event{Key: AppendKey(nil, "alice"), ID: "1", Model: long, Operation: long, Region: long}}.write()
	assert.Less(t, len(body), 300, "and once is enough")
	got, _ := read(body)
	assert.Equal(t, long[:maxProfileName], got[0].(Event).Model)
}

// versionOne are the entries that testdata/page_v1.hex holds.
func versionOne() contents {
	alice, bob := AppendKey(AppendKey(nil, "alice"), "111122223333"), AppendKey(AppendKey(nil, "bob"), "")
	noon, running := noon.UnixNano(), time.Unix(0, int64(90*time.Minute))
	return contents{
		Event{
			Time: noon, Key: alice, ID: "0190f6a0-0000-7000-8000-00000000000a", RequestID: "0190f6a0-0000-7000-8000-00000000000a",
			Model: "anthropic.claude-3", Operation: "Converse", Region: "us-east-1", Presumed: true,
		},
		Event{Time: noon - 1e9, Key: bob, ID: "request 7", RequestID: "request 7", Model: "anthropic.claude-3", IDOnly: true},
		Event{Time: noon + 1e9, Key: alice, ID: "9f86d081884c7d659a2feaa0c55ad015"},
		openAlert{
			key: string(alice), opened: noon, first: noon / 6e10, last: noon/6e10 + 3, from: noon - 1e9, to: noon + 2e11,
			count: 61, presumed: 1, escalations: 1, changed: running,
			inexact: true, lossy: true, closed: true, corrected: true, muted: true, summed: true, dropped: true,
		},
		openAlert{key: string(bob), opened: -1, first: -1, last: -1, from: -1, to: -1, count: 1, changed: time.Unix(0, 0)},
		limiterEntry{start: running, since: running.Add(time.Second), opened: 100, untold: 3},
	}
}

// A later version must read what the first one wrote. It may write otherwise; then the last line goes.
func TestPageOfVersionOneIsRead(t *testing.T) {
	stored, err := os.ReadFile("testdata/page_v1.hex")
	require.NoError(t, err)
	body, err := hex.DecodeString(strings.Join(strings.Fields(string(stored)), ""))
	require.NoError(t, err)

	got, fault := read(body)
	assert.Empty(t, fault)
	assert.Equal(t, versionOne(), got)
	assert.Equal(t, body, versionOne().write(), "%x", versionOne().write())
}

// A page that is cut off, or goes on with something else, gives what it holds before that, and says where that is.
func TestCorruptPageGivesWhatIsBeforeTheFault(t *testing.T) {
	var w pageWriter
	w.text(string(AppendKey(nil, "alice")))
	starts := []int{0, len(w.body)} // of entries: a text, and three events
	for i := range 3 {
		e := at("alice", strconv.Itoa(i), noon)
		w.event(&e)
		starts = append(starts, len(w.body))
	}
	put := func(body []byte) (int, error) {
		_, replay := New(hourly()).Keep()
		err := replay.Page(Page{Number: 1, Body: body})
		return replay.Events(), err
	}
	for cut := range len(w.body) {
		events, err := put(w.body[:cut])
		whole, _ := slices.BinarySearch(starts[2:], cut+1)
		assert.Equal(t, whole, events, "cut at %d", cut)
		if slices.Contains(starts, cut) {
			assert.NoError(t, err, "cut at %d", cut)
			continue
		}
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt, "cut at %d", cut)
		at, _ := slices.BinarySearch(starts, cut)
		assert.Equal(t, starts[at-1], corrupt.Offset, "cut at %d", cut)
		assert.Contains(t, err.Error(), fmt.Sprintf("byte %d of a journal page: ", corrupt.Offset))
	}
	for name, more := range map[string][]byte{
		"a text is referred to that was not defined": {entryEvent, 0, 2},
		"a text is no group":                         {entryText, 1, 9, entryEvent, 0, 2, 0, 0, 0, 0, 0},
		"an entry of unknown kind 9":                 {9},
		"an entry is cut off":                        {entryEvent},
		"a text is cut off":                          {entryText, 5, 'a'},
		"a number is cut off or too long":            {entryEvent, 0, 0x80},
		"a limiter cannot be so":                     {entryLimiter, 2},
		"an alert cannot be so":                      {entryAlert, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0},
		"a count is too large":                       {entryAlert, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		events, err := put(append(slices.Clone(w.body), more...))
		assert.Equal(t, 3, events, name)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt, name)
		assert.Equal(t, name, corrupt.Fault)
		offset := len(w.body)
		if name == "a text is no group" {
			offset += 3
		}
		assert.Equal(t, offset, corrupt.Offset, name)
	}
}

// How the limiter stands is taken from an entry that could be read to its end.
func TestCorruptLimiterLeavesTheOneBefore(t *testing.T) {
	body := contents{limiterEntry{start: time.Unix(0, 0), opened: 100}}.write()
	whole := len(body)
	body = append(body, contents{limiterEntry{start: time.Unix(0, 0), opened: 7}}.write()...)
	rule := limited(100)
	for cut := whole; cut < len(body); cut++ {
		detector := New(rule)
		_, replay := detector.Keep()
		err := replay.Page(Page{Number: 1, Body: body[:cut]})
		assert.Equal(t, cut > whole, err != nil)
		replay.End(time.Unix(1, 0), 2)
		assert.Empty(t, detector.Observe(crowd(0, 1, 3, noon), time.Unix(1, 0)).Alerts, "over the limit; cut at %d", cut)
	}
}
