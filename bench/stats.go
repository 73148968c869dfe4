// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// quartiles are the median of some values and the bounds of their middle half.
type quartiles struct{ lower, median, upper float64 }

// quartilesOf returns the quartiles of values, interpolated linearly.
func quartilesOf(values []float64) quartiles {
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) float64 {
		position := share * float64(len(sorted)-1)
		below := int(position)
		above := min(below+1, len(sorted)-1)
		return sorted[below] + (position-float64(below))*(sorted[above]-sorted[below])
	}
	return quartiles{at(0.25), at(0.5), at(0.75)}
}

// ratios returns the quotients of values measured in the same turn.
func ratios(above, below []float64) []float64 {
	r := make([]float64, len(above))
	for i := range r {
		r[i] = above[i] / below[i]
	}
	return r
}

func median(values []float64) float64 { return quartilesOf(values).median }
