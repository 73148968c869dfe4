// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/hex"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/wire"
)

// entries are the entries of a page: Event, waiting, intervention, Alert, Limiter or Alerting.
type entries []any

type (
	waiting      Event
	intervention Event
)

// write returns a page of them.
func (c entries) write() []byte {
	var w Writer
	for _, e := range c {
		switch e := e.(type) {
		case Event:
			w.Event(w.Group([]byte(e.Key)), &e)
		case waiting:
			w.Waiting(w.Group([]byte(e.Key)), (*Event)(&e))
		case intervention:
			w.Intervention(w.Group([]byte(e.Key)), (*Event)(&e))
		case Alert:
			w.Alert(&e)
		case Limiter:
			w.Limiter(&e)
		case Alerting:
			w.Alerting(&e)
		}
	}
	return w.Body()
}

// read returns the entries of a page, and the fault that ends them, if there is one.
func read(body []byte) (c entries, err error) {
	r := NewReader(Page{Body: body})
	for {
		switch kind, err := r.Next(); {
		case err != nil:
			return c, err
		case kind == End:
			return c, nil
		case kind == KindEvent:
			c = append(c, r.Event)
		case kind == KindWaiting:
			c = append(c, waiting(r.Event))
		case kind == KindIntervention:
			c = append(c, intervention(r.Event))
		case kind == KindAlert:
			c = append(c, r.Alert)
		case kind == KindLimiter:
			c = append(c, r.Limiter)
		case kind == KindAlerting:
			c = append(c, r.Alerting)
		}
	}
}

func keyOf(values ...string) string {
	var key []byte
	for _, value := range values {
		key = wire.AppendString(key, value)
	}
	return string(key)
}

// What is written into a page is read from it again, whatever names, IDs and times there are.
func TestPageReturnsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawEntries(t)
		got, err := read(c.write())
		require.NoError(t, err)
		require.Equal(t, c, got)
	})
}

func drawEntries(t *rapid.T) entries {
	texts := rapid.OneOf(rapid.StringN(-1, -1, MaxName), rapid.SampledFrom([]string{"", "a", "anthropic.claude", "us-east-1", "a\x00b", "\xff"}))
	keys := rapid.Map(rapid.SliceOfN(texts, 1, 3), func(values []string) string { return keyOf(values...) })
	times := rapid.OneOf(rapid.Int64(), rapid.Int64Range(1.7e18, 1.8e18), rapid.SampledFrom([]int64{math.MinInt64, 0, math.MaxInt64}))
	instants := rapid.Map(times, func(ns int64) time.Time { return time.Unix(0, ns) })
	perhaps := rapid.OneOf(instants, rapid.Just(time.Time{}))
	counts := rapid.IntRange(0, math.MaxInt)

	event := rapid.Custom(func(t *rapid.T) any {
		e := Event{
			Key: keys.Draw(t, "key"), Time: times.Draw(t, "time"), Flags: EventFlags(rapid.IntRange(0, 15).Draw(t, "flags")),
			Kind: texts.Draw(t, "kind"), Model: texts.Draw(t, "model"), Operation: texts.Draw(t, "operation"), Region: texts.Draw(t, "region"),
		}
		if e.Flags&IsUUID != 0 {
			e.UUID = [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		} else {
			e.Text = texts.Draw(t, "id")
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return waiting(e)
		case 1:
			e.Kind, e.Model, e.Operation, e.Region, e.GuardrailID = "", "", "", "", e.Model
			return intervention(e)
		}
		return e
	})
	alert := rapid.Custom(func(t *rapid.T) any {
		a := Alert{
			Key: keys.Draw(t, "key"), Opened: times.Draw(t, "opened"), FirstTime: times.Draw(t, "first time"),
			FirstBucket: rapid.Int64Range(math.MinInt64/2, math.MaxInt64/2).Draw(t, "first bucket"),
			Count:       counts.Draw(t, "count"), Presumed: counts.Draw(t, "presumed"),
			Escalations: rapid.IntRange(0, MaxEscalations).Draw(t, "escalations"), Records: counts.Draw(t, "records"), Changed: instants.Draw(t, "changed"),
		}
		a.LastTime = rapid.Int64Min(a.FirstTime).Draw(t, "last time")
		a.LastBucket = rapid.Int64Min(a.FirstBucket).Draw(t, "last bucket")
		if a.LastBucket-a.FirstBucket < 0 {
			a.LastBucket = a.FirstBucket
		}
		for _, flag := range a.flags() {
			*flag = rapid.Bool().Draw(t, "flag")
		}
		if rapid.Bool().Draw(t, "follows") {
			a.Intervention = &Intervention{
				Time: times.Draw(t, "intervention"), RequestID: texts.Draw(t, "request id"), GuardrailID: texts.Draw(t, "guardrail"),
			}
		}
		return a
	})
	limiter := rapid.Custom(func(t *rapid.T) any {
		return Limiter{
			Start: perhaps.Draw(t, "start"), SuppressedSince: perhaps.Draw(t, "since"), LastOverflow: perhaps.Draw(t, "overflow"),
			Opened: counts.Draw(t, "opened"), Unreported: counts.Draw(t, "unreported"),
		}
	})
	alerting := rapid.Custom(func(t *rapid.T) any {
		return Alerting{Key: keys.Draw(t, "key"), Buckets: rapid.SliceOfN(times, 1, 20).Draw(t, "buckets")}
	})
	return rapid.SliceOfN(rapid.OneOf(event, event, alert, limiter, alerting), 1, 20).Draw(t, "entries")
}

// Names of no real length are cut, so that they cannot fill the storage.
func TestPageCutsNames(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	body := entries{Event{Key: keyOf("alice"), Text: "1", Model: long, Operation: long, Region: long}}.write()
	assert.Less(t, len(body), 300, "and the name is written once")
	got, err := read(body)
	require.NoError(t, err)
	assert.Equal(t, long[:MaxName], got[0].(Event).Model)
}

// versionOne are the entries that testdata/page_v1.hex holds.
func versionOne() entries {
	alice, bob := keyOf("alice", "111122223333"), keyOf("bob", "")
	running := time.Unix(0, int64(90*time.Minute))
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).UnixNano()
	return entries{
		Event{
			Key: alice, Time: noon, Flags: IsUUID | IsRequestID | Presumed,
			UUID:  [16]byte{0x01, 0x90, 0xf6, 0xa0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0a},
			Model: "anthropic.claude-3", Operation: "Converse", Region: "us-east-1",
		},
		Event{Key: bob, Time: noon - 1e9, Flags: IsRequestID | IDOnly, Text: "request 7", Model: "anthropic.claude-3"},
		Event{Key: alice, Time: noon + 1e9, Text: "9f86d081884c7d659a2feaa0c55ad015"},
		Alert{
			Key: alice, Opened: noon, FirstBucket: noon / 6e10, LastBucket: noon/6e10 + 3, FirstTime: noon - 1e9, LastTime: noon + 2e11,
			Count: 61, Presumed: 1, Escalations: 1, Changed: running,
			Inexact: true, Incomplete: true, Closed: true, Corrected: true, Suppressed: true, Summarized: true, Dropped: true,
		},
		Alert{Key: bob, Opened: -1, FirstBucket: -1, LastBucket: -1, FirstTime: -1, LastTime: -1, Count: 1, Changed: time.Unix(0, 0)},
		Limiter{Start: running, SuppressedSince: running.Add(time.Second), Opened: 100, Unreported: 3},
	}
}

// counted are the entries that testdata/page_counted.hex holds: those of the first version, since
// events have a kind and the records of alerts are counted.
func counted() entries {
	page := versionOne()
	for i, kind := range [...]string{"unguarded/presumed", "unknown/no_body", "unguarded/absent"} {
		e := page[i].(Event)
		e.Kind = kind
		page[i] = e
	}
	a := page[3].(Alert)
	a.Records = 3
	page[3] = a
	return page
}

// interventions are the entries that testdata/page_interventions.hex holds: those of a rule that
// counts only what follows an intervention.
func interventions() entries {
	alice, bob := keyOf("alice", "111122223333"), keyOf("bob", "")
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).UnixNano()
	return entries{
		waiting{
			Key: alice, Time: noon, Flags: IsUUID | IsRequestID | Presumed,
			UUID: [16]byte{0x01, 0x90, 0xf6, 0xa0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0a},
			Kind: "unguarded/presumed", Model: "anthropic.claude-3", Operation: "Converse", Region: "us-east-1",
		},
		intervention{
			Key: alice, Time: noon - 1e9, Flags: IsUUID | IsRequestID,
			UUID:        [16]byte{0x01, 0x90, 0xf6, 0xa0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0b},
			GuardrailID: "g0ex4mple001",
		},
		intervention{Key: bob, Time: noon + 5, Flags: IsRequestID | IDOnly, Text: "request 7"},
		Event{Key: bob, Time: noon + 6, Text: "9f86d081884c7d659a2feaa0c55ad015"},
		Alert{
			Key: alice, Opened: noon, FirstBucket: noon / 6e10, LastBucket: noon / 6e10, FirstTime: noon, LastTime: noon,
			Count: 1, Presumed: 1, Records: 1, Changed: time.Unix(0, 0),
			Intervention: &Intervention{Time: noon - 1e9, RequestID: "0190f6a0-0000-7000-8000-00000000000b", GuardrailID: "g0ex4mple001"},
		},
		Alert{
			Key: bob, Opened: noon + 6, FirstBucket: noon / 6e10, LastBucket: noon / 6e10, FirstTime: noon + 6, LastTime: noon + 6,
			Count: 1, Changed: time.Unix(0, 0), Dropped: true, Intervention: &Intervention{Time: noon + 5},
		},
	}
}

// golden returns a page of testdata.
func golden(t *testing.T, name string) []byte {
	stored, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	body, err := hex.DecodeString(strings.Join(strings.Fields(string(stored)), ""))
	require.NoError(t, err)
	return body
}

// What is in the storage must be read by later versions: a restart after an update must not lose it.
func TestPagesOfEarlierVersionsAreRead(t *testing.T) {
	for name, want := range map[string]entries{
		"page_v1.hex": versionOne(), "page_counted.hex": counted(), "page_interventions.hex": interventions(),
	} {
		got, err := read(golden(t, name))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

// What is written now must not change unnoticed. It may change; then the page that holds it becomes one
// of an earlier version.
func TestPageIsWrittenAsBefore(t *testing.T) {
	for name, page := range map[string]entries{"page_counted.hex": counted(), "page_interventions.hex": interventions()} {
		assert.Equal(t, golden(t, name), page.write(), "%s: %x", name, page.write())
	}
}

// A page that ends within an entry, or continues with anything else, returns what it holds
// before that, and says where that is: an operator then sees how much is lost.
func TestCorruptPageReturnsWhatIsBeforeTheFault(t *testing.T) {
	var w Writer
	group := w.Group([]byte(keyOf("alice")))
	ends := []int{0, w.Len()} // of entries: a text, three events, and others of a rule that counts after interventions
	for _, write := range []func(){
		func() { w.Event(group, &Event{Text: "1"}) },
		func() { w.Event(group, &Event{Text: "1"}) },
		func() { w.Event(group, &Event{Text: "1"}) },
		func() { w.Waiting(group, &Event{Text: "1"}) },
		func() { w.Intervention(group, &Event{Text: "1"}) },
		func() { w.Alert(&Alert{Key: keyOf("alice"), Intervention: &Intervention{}}) },
	} {
		write()
		ends = append(ends, w.Len())
	}
	for size := range w.Len() {
		whole := 0
		for _, end := range ends[2:] {
			if end <= size {
				whole++
			}
		}
		got, err := read(w.Body()[:size])
		assert.Len(t, got, whole, "cut at %d", size)
		if want, isEnd := lastAtMost(ends, size); isEnd {
			assert.NoError(t, err, "cut at %d", size)
		} else {
			var corrupt *CorruptError
			require.ErrorAs(t, err, &corrupt, "cut at %d", size)
			assert.Equal(t, want, corrupt.Offset, "cut at %d", size)
		}
	}
	for fault, more := range map[string][]byte{
		"an entry refers to a string that is not defined":        {byte(KindEvent), 0, 2},
		"a string is not the key of a group":                     {byte(kindText), 1, 9, byte(KindEvent), 0, 2, 0, 0, 0, 0, 0},
		"unknown kind of entry: 255":                             {255},
		"the entry is cut off":                                   {byte(KindEvent)},
		"a string is cut off":                                    {byte(kindText), 5, 'a'},
		"a number is cut off or too long":                        {byte(KindEvent), 0, 0x80},
		"a list is cut off":                                      {byte(KindAlerting), 1, 9},
		"the limiter holds a time that is neither set nor unset": {byte(KindLimiter), 2},
		"the values of an alert contradict each other":           {byte(KindAlert), 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0},
		"a number is too large":                                  {byte(KindAlert), 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		got, err := read(append(w.Body()[:w.Len():w.Len()], more...))
		assert.Len(t, got, len(ends)-2, fault)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt, fault)
		assert.Equal(t, fault, corrupt.Fault)
		offset := w.Len()
		if more[0] == byte(kindText) && more[1] == 1 {
			offset += 3 // the text itself can be read
		}
		assert.Equal(t, offset, corrupt.Offset, fault)
	}
}

// lastAtMost returns the last of some ends that is not beyond size, and whether it is size.
func lastAtMost(ends []int, size int) (last int, equal bool) {
	for _, end := range ends {
		if end <= size {
			last = end
		}
	}
	return last, last == size
}

// Every entry keeps when it arrived: a group forgets by that, at moments of its own.
func TestPageKeepsWhenEntriesArrived(t *testing.T) {
	arrivals := []int64{5, 5, 9, -3}
	var w Writer
	w.Reset(arrivals[0])
	group := w.Group([]byte(keyOf("alice")))
	for _, arrived := range arrivals {
		w.Arrive(arrived)
		w.Event(group, &Event{Text: "1"})
	}
	r := NewReader(Page{Arrived: arrivals[0], Body: w.Body()})
	var got []int64
	for kind, err := r.Next(); kind != End; kind, err = r.Next() {
		require.NoError(t, err)
		got = append(got, r.Arrived())
	}
	assert.Equal(t, arrivals, got)
}
