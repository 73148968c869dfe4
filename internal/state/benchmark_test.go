// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// traffic is invocations of 10,000 users with ARNs of 70 characters, of which few
// make enough in a minute to alert.
type traffic struct {
	rng   *rand.Rand
	users [10_000][]byte
	ids   uuid.UUID
	step  time.Duration // of event time, between two
	made  int
}

func newTraffic(step time.Duration) *traffic {
	tr := &traffic{rng: rand.New(rand.NewPCG(1, 2)), step: step}
	for i := range tr.users {
		arn := fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/application/session-%05d", i)
		arn += strings.Repeat("x", 70-len(arn))
		tr.users[i] = detect.AppendKey(detect.AppendKey(nil, arn), "111122223333")
	}
	return tr
}

// batch makes the next events.
func (tr *traffic) batch(events []detect.Event) []detect.Event {
	for i := range events {
		for b := range tr.ids {
			tr.ids[b] = byte(tr.rng.Uint32())
		}
		id := tr.ids.String()
		events[i] = detect.Event{
			Time: noon.Add(time.Duration(tr.made) * tr.step).UnixNano(),
			Key:  tr.users[tr.rng.IntN(len(tr.users))], ID: id, RequestID: id,
			Model: "anthropic.claude-3-5-sonnet-20240620-v1:0", Operation: "Converse", Region: "us-east-1",
		}
		tr.made++
	}
	return events
}

func open(tb testing.TB, disk *storagetest.Disk) (*Store, *Loaded) {
	client, err := disk.GetClient(tb.Context(), component.KindProcessor, component.MustNewID("guardrail"), "state")
	require.NoError(tb, err)
	loader, err := Open(tb.Context(), Settings{
		Client: client, Rules: []RuleDetector{ruleOf("rule", "as it is", builtIn)}, Logger: zap.NewNop(), Report: func(error) {},
	})
	require.NoError(tb, err)
	store, loaded, err := loader.Load(tb.Context())
	require.NoError(tb, err)
	store.Run()
	return store, loaded
}

// BenchmarkCommit reports what a counted invocation takes in the storage, and how much
// is written to it in all, by how many come in one call.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			disk := storagetest.NewDisk()
			var written atomic.Int64
			disk.Faulty(func(_ int, ops []*storage.Operation) error {
				for _, op := range ops {
					written.Add(int64(len(op.Value)))
				}
				return nil
			})
			store, _ := open(b, disk)
			tr, events := newTraffic(4*time.Millisecond), make([]detect.Event, size)
			for b.Loop() {
				store.Rules[0].Detector.Observe(tr.batch(events), time.Unix(0, 0))
				if err := store.Commit(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, store.Close(b.Context()))
			stored := 0
			for _, value := range disk.Values() {
				stored += len(value)
			}
			b.ReportMetric(float64(stored)/float64(tr.made), "stored-B/invocation")
			b.ReportMetric(float64(written.Load())/float64(tr.made), "written-B/invocation")
		})
	}
}

// BenchmarkLoad reports how long a restart takes after a million counted invocations
// in an hour.
func BenchmarkLoad(b *testing.B) {
	const invocations, size = 1_000_000, 100
	disk := storagetest.NewDisk()
	store, _ := open(b, disk)
	tr, events := newTraffic(time.Hour/invocations), make([]detect.Event, size)
	for tr.made < invocations {
		now := time.Unix(0, int64(tr.made)*int64(tr.step))
		store.Rules[0].Detector.Observe(tr.batch(events), now)
		store.Advance(now)
		require.NoError(b, store.Commit(b.Context()))
	}
	require.NoError(b, store.Close(b.Context()))
	b.ReportAllocs()
	for b.Loop() {
		store, loaded := open(b, disk)
		if len(loaded.Unreported[0]) > 0 {
			b.Fatal("alerts are missing")
		}
		b.StopTimer()
		require.NoError(b, store.Close(b.Context()))
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/million")
}
