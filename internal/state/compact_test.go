// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap/zaptest"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

func cleanRule() detect.Rule {
	return detect.Rule{
		Size: time.Minute, Threshold: 5, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Limit: 100,
		Retention: time.Hour, MaxBytes: 8 << 20,
	}
}

func event(user string, n int) detect.Event {
	id := fmt.Sprintf("%s-%d", user, n)
	return detect.Event{
		Key: detect.AppendKey(nil, user), Time: time.Unix(1000, int64(n)*1e6).UnixNano(), ID: id, RequestID: id,
		Model: "model", Operation: "Converse", Region: "us-east-1",
	}
}

func openOn(t *testing.T, disk *storagetest.Disk, rule detect.Rule) (*Store, *detect.Detector, *Loaded) {
	t.Helper()
	client, err := disk.GetClient(t.Context(), component.KindProcessor, component.MustNewID("gen_ai_guardrail"), "state")
	require.NoError(t, err)
	detector := detect.New(rule)
	loader, err := Open(t.Context(), Settings{
		Client: client, Logger: zaptest.NewLogger(t), Rules: []RuleDetector{{ID: "rule", Fingerprint: "f", Detector: detector}},
		Report: func(err error) { assert.NoError(t, err) },
	})
	require.NoError(t, err)
	store, loaded, err := loader.Load(t.Context())
	require.NoError(t, err)
	return store, detector, loaded
}

// A flood must not fill the disk: what memory has forgotten is removed there, too. What
// is remembered stays known over a restart.
func TestFloodDoesNotFillTheStorage(t *testing.T) {
	disk := storagetest.NewDisk()
	store, detector, _ := openOn(t, disk, cleanRule())
	store.minCompactSize = 1 << 18
	store.Run()
	now := time.Unix(0, 0)
	observe := func(events ...detect.Event) {
		now = now.Add(time.Millisecond)
		detector.Observe(events, now)
		store.Advance(now)
		require.NoError(t, store.Commit(t.Context()))
	}
	stored := func() (size int) {
		for _, value := range disk.Values() {
			size += len(value)
		}
		return size
	}
	observe(event("victim", 0), event("victim", 1), event("victim", 2), event("victim", 3), event("victim", 4), event("victim", 5))
	written, most := 0, 0
	for i := range 400 { // one user at full speed, and many who come once
		var events []detect.Event
		for n := range 200 {
			events = append(events, event("flood", 200*i+n), event(fmt.Sprint("once ", i, " ", n), 0))
		}
		observe(events...)
		written += 400 * 30 // at least
		if i%10 == 0 {
			most = max(most, stored())
		}
	}
	require.NoError(t, store.Close(context.Background()))
	t.Logf("%d KiB written, at most %d KiB stored, %d KiB in the end", written>>10, most>>10, stored()>>10)
	assert.Less(t, most, written*3/4)

	_, after, loaded := openOn(t, disk, cleanRule())
	assert.Empty(t, loaded.Unreported[0])
	result := after.Observe([]detect.Event{event("victim", 5)}, loaded.Running)
	assert.Equal(t, 1, result.Repeats)
}
