// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
)

// Whatever lies in the storage, the detector starts, takes memory in proportion to it at
// most, and continues to detect.
func FuzzPage(f *testing.F) {
	versionOne, err := goldenPage("page_v1.hex")
	if err != nil {
		f.Fatal(err)
	}
	counted, err := goldenPage("page_counted.hex")
	if err != nil {
		f.Fatal(err)
	}
	interventions, err := goldenPage("page_interventions.hex")
	if err != nil {
		f.Fatal(err)
	}
	var w journal.Writer
	w.Event(w.Group(AppendKey(nil, "alice")), &journal.Event{Time: noon.UnixNano(), Text: "1"})
	f.Add(versionOne, uint8(0), int64(90*time.Minute))
	f.Add(counted, uint8(0), int64(90*time.Minute))
	f.Add(w.Body(), uint8(1), int64(0))
	f.Add(slices.Concat(w.Body(), versionOne), uint8(2), int64(1)<<62)
	f.Add(interventions, uint8(3), int64(90*time.Minute))
	f.Add(interventions, uint8(4), int64(0))
	f.Add(interventions, uint8(2), int64(0))                                     // of a rule that has AfterIntervention no longer
	f.Add([]byte{1, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(0), int64(-1)) // an empty text, and an alert
	f.Fuzz(func(t *testing.T, body []byte, kind uint8, arrived int64) {
		rule := Rule{
			Window: WindowType(kind % 3), Threshold: 2, Size: time.Minute,
			KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour,
		}
		if kind/3%2 == 1 {
			rule.AfterIntervention = time.Minute
		}
		detector := New(rule)
		journal, replay := detector.EnableJournal()
		before := allocated()
		err := replay.Page(Page{Number: 1, Arrived: arrived, Body: body})
		var corrupt *CorruptError
		if err != nil && (!errors.As(err, &corrupt) || corrupt.Offset < 0 || corrupt.Offset >= len(body)) {
			t.Fatal(err)
		}
		now := time.Unix(0, max(0, arrived))
		replay.End(now, 2)
		if _, again := detector.Compact(Page{Number: 1, Arrived: arrived, Body: body}); (again == nil) != (err == nil) {
			t.Fatalf("compacting: %v, reading: %v", again, err)
		}
		// A shard's first chunks are about 30 kB; an alert of a dozen bytes takes a few hundred.
		if took := allocated() - before; took > 8<<20+400*uint64(len(body)) {
			t.Fatalf("%d bytes for a page of %d", took, len(body))
		}

		const user = "somebody whom no page knows"
		if rule.AfterIntervention > 0 {
			detector.Observe([]Event{blocked(user, "blocked", noon.Add(-1))}, now)
		}
		for i := range 2 * rule.Threshold {
			alerts := detector.Observe([]Event{at(user, strconv.Itoa(i), noon)}, now)
			if opened := len(alerts.Alerts); opened > 0 != (i == rule.Threshold) {
				t.Fatalf("%d alerts after %d events", opened, i+1)
			}
		}
		for range 10 {
			now = now.Add(20 * time.Minute)
			detector.Tick(now)
			detector.Observe([]Event{at("alice", now.String(), noon)}, now)
		}
		detector.Checkpoint(now)
		_, replay = New(rule).EnableJournal()
		pages, _ := journal.Drain(nil)
		for _, page := range pages {
			if err := replay.Page(page); err != nil {
				t.Fatalf("what it writes afterwards: %v", err)
			}
		}
	})
}

// goldenPage returns a page that an earlier version, or this one, wrote.
func goldenPage(name string) ([]byte, error) {
	stored, err := os.ReadFile("internal/journal/testdata/" + name)
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(strings.Join(strings.Fields(string(stored)), ""))
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
