// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"
)

// BenchmarkScale is how long a call of ConsumeLogs takes at worst (p99-us, max-us)
// while many users make about two unguarded calls each in the time that a call is
// remembered, and the share of garbage collection in the CPU time (gc-%), the
// making of the records included.
func BenchmarkScale(b *testing.B) {
	for _, users := range []int{10_000, 1_000_000} {
		for _, batch := range []int{100, 1_000} {
			b.Run(fmt.Sprintf("users=%d/batch=%d", users, batch), func(b *testing.B) { benchmarkScale(b, users, batch) })
		}
	}
}

func benchmarkScale(b *testing.B, users, batch int) {
	r := newRig(b, `{max_state_mib: 1024}`)
	r.guardrailProcessor.next = consumertest.NewNop()
	r.outbox.next = consumertest.NewNop()
	rng := rand.New(rand.NewPCG(1, 1))
	now, pause := noon, 61*time.Minute/time.Duration(2*users)
	serial := 0
	observe := func(who func(i int) int) time.Duration {
		calls := make([]call, batch)
		for i := range calls {
			serial++
			now = now.Add(pause)
			calls[i] = call{
				user: fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/research/session-%08d", who(i)),
				id:   fmt.Sprintf("%08x-0000-4000-8000-000000000000", serial),
				at:   now,
			}
		}
		logs := eventLogs(calls...)
		r.at(now)
		begun := time.Now()
		r.consume(b, logs)
		return time.Since(begun)
	}
	for user := 0; user < users; user += batch {
		observe(func(i int) int { return user + i })
	}
	var took []time.Duration
	before := readCPU()
	for b.Loop() {
		for range max(1, 100_000/batch) {
			took = append(took, observe(func(int) int { return rng.IntN(users) }))
		}
	}
	collecting := readCPU().gcSince(before)
	slices.Sort(took)
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(sum)/float64(len(took)*batch), "ns/record")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-us")
	b.ReportMetric(float64(took[len(took)-1])/1e3, "max-us")
	b.ReportMetric(100*collecting, "gc-%")
}

// cpu is the CPU time, in seconds, that the process has had, and that of it for
// garbage collection.
type cpu struct{ total, collecting float64 }

func readCPU() cpu {
	runtime.GC() // which brings the figures up to date
	samples := []metrics.Sample{
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
	}
	metrics.Read(samples)
	return cpu{samples[0].Value.Float64() - samples[1].Value.Float64(), samples[2].Value.Float64()}
}

func (c cpu) gcSince(before cpu) float64 {
	return (c.collecting - before.collecting) / (c.total - before.total)
}
