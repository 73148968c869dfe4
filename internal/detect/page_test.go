// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
)

// The state of the limiter is taken from an entry that can be read to its end.
func TestCorruptLimiterLeavesTheOneBefore(t *testing.T) {
	var w journal.Writer
	w.Limiter(&journal.Limiter{Start: time.Unix(0, 0), Opened: 100})
	whole := w.Len()
	w.Limiter(&journal.Limiter{Start: time.Unix(0, 0), Opened: 7})
	rule := limited(100)
	for cut := whole; cut < w.Len(); cut++ {
		detector := New(rule)
		_, replay := detector.EnableJournal()
		err := replay.Page(Page{Number: 1, Body: w.Body()[:cut]})
		assert.Equal(t, cut > whole, err != nil)
		replay.End(time.Unix(1, 0), 2)
		assert.Empty(t, detector.Observe(crowd(0, 1, 3, noon), time.Unix(1, 0)).Alerts, "over the limit; cut at %d", cut)
	}
}
