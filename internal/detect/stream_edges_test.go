// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// Clocks that are out by centuries neither stop the detector nor meet each other.
func TestEndsOfTime(t *testing.T) {
	const s = int64(time.Second)
	for name, times := range map[string][]int64{
		"far future":            {math.MaxInt64 - s, math.MaxInt64 - s + 1, math.MaxInt64 - s + 1},
		"far past":              {math.MinInt64 + 2*s, math.MinInt64 + 2*s + 1, math.MinInt64 + 3*s},
		"both":                  {math.MinInt64 + 2*s, math.MaxInt64 - s, 0, 0},
		"both, the other way":   {math.MaxInt64 - s, math.MinInt64 + 2*s, 0, 0},
		"across 1970":           {-1, 0, s - 1, s, -s},
		"one size apart":        {-s, 0, s, 2 * s},
		"a century between all": {0, 3e18, -3e18, 3e18 + s, -3e18 - s},
	} {
		t.Run(name, func(t *testing.T) {
			eachWindow(t, func(t *testing.T, window oracle.Type) {
				stream := streams.Stream{
					Window: window, Threshold: 1, Size: time.Second, Retention: time.Minute, Groups: [][]string{{"a"}},
				}
				for i, time1 := range times {
					event := streams.Event{Time: time1, ID: string(rune('a' + i)), Model: "model"}
					stream.Batches = append(stream.Batches, streams.Batch{Now: time.Unix(1e9, 0), Events: []streams.Event{event}})
				}
				assert.NoError(t, check(stream))
			})
		})
	}
}

// Values that contain anything at all make different groups, and are returned unchanged.
func TestKeysKeepValuesApart(t *testing.T) {
	text := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, '\\', ',', '=', 0x7f, 0x80, 0xff}), -1, 200),
		func(b []byte) string { return string(b) })
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(text, rapid.String()), 1, 6).Draw(t, "values")
		var key []byte
		for _, value := range values {
			key = detect.AppendKey(key, value)
		}
		assert.Equal(t, values, detect.SplitKey(string(key)))
	})
}

// Nothing to observe is no reason to fail.
func TestNoEvents(t *testing.T) {
	detector := detect.New(detect.Rule{Threshold: 5, Size: time.Minute, Retention: time.Hour})
	assert.Empty(t, detector.Observe(nil, time.Unix(0, 0)))
	assert.Empty(t, detector.Tick(time.Unix(0, 0)))
	assert.Empty(t, detector.Observe(nil, time.Unix(1e9, 0)))
	assert.Empty(t, detector.Tick(time.Unix(1e9, 0)))
}
