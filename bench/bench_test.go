// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkContenders runs each side of each comparison, for profiles. The ratios
// come from the program, which measures both sides in turns.
func BenchmarkContenders(b *testing.B) {
	for _, c := range inProcessComparisons {
		for _, newContender := range []func() (*contender, error){newGuardrail, c.against} {
			contender, err := newContender()
			require.NoError(b, err)
			b.Run(c.work+"/"+mixes[c.mix].name+"/"+contender.name, func(b *testing.B) {
				l := c.load()
				b.ReportAllocs()
				for records := 0; records < b.N; records += l.records() {
					b.StopTimer()
					l.renew()
					b.StartTimer()
					for _, batch := range l.batches {
						require.NoError(b, contender.consume(batch))
					}
				}
			})
			contender.close()
		}
	}
}
