// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"slices"
	"strings"

	"example.com/otelcol-guardrail/internal/testing/streams"
)

// shrink removes from a failing stream what it can while it keeps failing.
func shrink(stream streams.Stream, check func(streams.Stream) error) streams.Stream {
	for size := len(stream.Events()) / 2; size > 0; {
		smaller := false
		for from := 0; from < len(stream.Events()); {
			if less := without(stream, from, size); len(less.Batches) > 0 && check(less) != nil {
				stream, smaller = less, true
			} else {
				from += size
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return stream
}

// without drops some events, and batches that are empty then.
func without(stream streams.Stream, from, count int) streams.Stream {
	var batches []streams.Batch
	for _, batch := range stream.Batches {
		low, high := max(from, 0), max(min(from+count, len(batch.Events)), 0)
		from -= len(batch.Events)
		if low < high {
			batch.Events = slices.Delete(slices.Clone(batch.Events), low, high)
		}
		if len(batch.Events) > 0 {
			batches = append(batches, batch)
		}
	}
	stream.Batches = batches
	return stream
}

// show writes a stream for a person to read.
func show(stream streams.Stream) string {
	var text strings.Builder
	fmt.Fprintf(&text, "threshold %d, size %v, retention %v, after intervention %v\n",
		stream.Threshold, stream.Size, stream.Retention, stream.AfterIntervention)
	for i, batch := range stream.Batches {
		fmt.Fprintf(&text, "batch %d at +%v\n", i, batch.Now.Sub(stream.Batches[0].Now))
		for _, event := range batch.Events {
			fmt.Fprintf(&text, "  time %d (bucket %+d) group %q id %q id only %t, intervened %t, uncounted %t\n", event.Time,
				event.Time-(event.Time%int64(stream.Size)+int64(stream.Size))%int64(stream.Size),
				stream.Groups[event.Group], event.ID, event.IDOnly, event.Intervened, event.Uncounted)
		}
	}
	return text.String()
}
