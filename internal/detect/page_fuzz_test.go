// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"errors"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Whatever lies in the storage, the detector starts, takes no more memory than that
// is worth, and goes on to detect.
func FuzzPage(f *testing.F) {
	var w pageWriter
	e := at("alice", "1", noon)
	w.event(&e)
	f.Add(versionOne().write(), uint8(0), int64(90*time.Minute))
	f.Add(w.body, uint8(1), int64(0))
	f.Add(append(w.body, versionOne().write()...), uint8(2), int64(1)<<62)
	f.Add([]byte{entryText, 0, entryAlert, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(0), int64(-1))
	f.Fuzz(func(t *testing.T, body []byte, window uint8, arrived int64) {
		rule := Rule{
			Window: WindowType(window % 3), Threshold: 2, Size: time.Minute,
			KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour,
		}
		detector := New(rule)
		journal, replay := detector.Keep()
		before := allocated()
		err := replay.Page(Page{Number: 1, Arrived: arrived, Body: body})
		var corrupt *CorruptError
		if err != nil && (!errors.As(err, &corrupt) || corrupt.Offset < 0 || corrupt.Offset >= len(body)) {
			t.Fatal(err)
		}
		now := time.Unix(0, max(0, arrived))
		replay.End(now, 2)
		// A shard's first chunks are about 30 kB; an alert of a dozen bytes takes a few hundred.
		if took := allocated() - before; took > 8<<20+400*uint64(len(body)) {
			t.Fatalf("%d bytes for a page of %d", took, len(body))
		}

		const user = "somebody whom no page knows"
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
		_, replay = New(rule).Keep()
		for _, page := range journal.Take(nil) {
			if err := replay.Page(page); err != nil {
				t.Fatalf("what it writes afterwards: %v", err)
			}
		}
	})
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
