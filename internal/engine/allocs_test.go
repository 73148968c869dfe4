// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Nearly all traffic raises nothing. What it costs in garbage decides what a
// machine can carry, so it costs none: one small allocation for each value of a
// metric that a batch changes, which is the metrics library's own, and nothing
// for a record, unless its body is bytes.
func TestOrdinaryRecordsAllocateNothing(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			values := 1 // the verdict's
			perRecord := 0
			if strings.Contains(s.name, "bytes") {
				// pdata hands bytes out as a copy, and text is another; so much garbage
				// empties the pool of batches now and then.
				perRecord = 3
			}
			switch {
			case strings.HasPrefix(s.name, "other"):
				values = 0
			case !s.guarded:
				values = 2 // and that they are repeats
			}
			for _, n := range []int{1, 10, 100} {
				r := newQuietRig(t, `{}`)
				logs := s.batches(1, n)[0]
				r.consume(t, logs)
				allocs := testing.AllocsPerRun(100, func() { r.consume(t, logs) })
				assert.LessOrEqual(t, allocs, float64(values+n*perRecord), "a batch of %d", n)
			}
		})
	}
}

// A batch of every kind costs no more than its kinds.
func TestMixedBatchAllocatesOnlyForItsKinds(t *testing.T) {
	r := newQuietRig(t, `{rules: [{}, {id: second, group_by: [cloud.region]}]}`)
	logs := mixedLogs()
	r.consume(t, logs)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { r.consume(t, logs) }), 5.0, "three verdicts, repeats of two rules")
}
