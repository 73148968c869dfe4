// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/testing/cputime"
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
	r := newQuietRig(b, `{max_state_mib: 1024}`)
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
	before := cputime.Read()
	for b.Loop() {
		for range max(1, 100_000/batch) {
			took = append(took, observe(func(int) int { return rng.IntN(users) }))
		}
	}
	collecting := cputime.Read().CollectingSince(before)
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
