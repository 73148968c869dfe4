// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// quartiles are the middle of some values and the bounds of the middle half.
type quartiles struct{ lower, median, upper float64 }

func quartilesOf(values []float64) quartiles {
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) float64 {
		place := share * float64(len(sorted)-1)
		below := int(place)
		above := min(below+1, len(sorted)-1)
		return sorted[below] + (place-float64(below))*(sorted[above]-sorted[below])
	}
	return quartiles{at(0.25), at(0.5), at(0.75)}
}

// ratios divides values measured in the same turn.
func ratios(above, below []float64) []float64 {
	r := make([]float64, len(above))
	for i := range r {
		r[i] = above[i] / below[i]
	}
	return r
}

func median(values []float64) float64 { return quartilesOf(values).median }
