// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package cputime measures the share of CPU time that garbage collection takes, for benchmarks.
package cputime

import (
	"runtime"
	"runtime/metrics"
)

// Used is the CPU time that the process has had, in seconds, and that of it for
// garbage collection.
type Used struct{ total, collecting float64 }

// Read returns what was used up to now. It collects garbage, which brings the runtime's
// figures up to date.
func Read() Used {
	runtime.GC()
	samples := []metrics.Sample{
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
	}
	metrics.Read(samples)
	return Used{samples[0].Value.Float64() - samples[1].Value.Float64(), samples[2].Value.Float64()}
}

// CollectingSince returns the share of garbage collection in what was used since before.
func (u Used) CollectingSince(before Used) float64 {
	return (u.collecting - before.collecting) / (u.total - before.total)
}
