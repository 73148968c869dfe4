// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// batchSize is how many records a call has; all that is reported is by record.
const batchSize = 100

// BenchmarkConsumeLogs is what a record costs, by what it is. Unguarded ones are
// new each time: counted, remembered and forgotten, below any threshold.
func BenchmarkConsumeLogs(b *testing.B) {
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			batches := s.batches(max(1, 20_000_000/max(s.size, 10_000)/batchSize), batchSize)
			r := newQuietRig(b, `{}`)
			now := noon
			b.SetBytes(sizeOf(batches[0]) / batchSize)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i*batchSize < b.N; i++ {
				if i%len(batches) == 0 { // they come around again: long enough for all to be forgotten
					now = now.Add(10 * time.Hour)
					r.at(now)
				}
				r.consume(b, batches[i%len(batches)])
			}
		})
	}
}

// BenchmarkParallel has every core deliver batches at once, with groups in common.
func BenchmarkParallel(b *testing.B) {
	for _, s := range shapes[:4] {
		b.Run(s.name, func(b *testing.B) {
			batches := s.batches(20, batchSize)
			r := newQuietRig(b, `{}`)
			for _, logs := range batches {
				r.consume(b, logs) // once, so that it is repeats that are measured
			}
			b.SetBytes(sizeOf(batches[0]) / batchSize)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if i%batchSize == 0 {
						r.consume(b, batches[i/batchSize%len(batches)])
					}
				}
			})
		})
	}
}

// BenchmarkAnnotate is what an edge does with a record.
func BenchmarkAnnotate(b *testing.B) {
	for _, s := range shapes[:4] {
		b.Run(s.name, func(b *testing.B) {
			logs := s.batches(1, batchSize)[0]
			r := newQuietRig(b, `{rules: [], annotate: true}`)
			b.SetBytes(sizeOf(logs) / batchSize)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i*batchSize < b.N; i++ {
				r.consume(b, logs)
			}
		})
	}
}

// BenchmarkAlert is what an alert costs, from the six records that raise it to its delivery.
func BenchmarkAlert(b *testing.B) {
	logs := bedrockLogs(burst("alice", 6)...)
	r := newQuietRig(b, `{}`)
	now := noon
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * time.Hour)
		r.at(now)
		r.consume(b, logs)
	}
}

func sizeOf(logs plog.Logs) int64 { return int64((&plog.ProtoMarshaler{}).LogsSize(logs)) }
