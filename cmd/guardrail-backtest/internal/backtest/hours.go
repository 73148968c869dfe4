// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"sync"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
)

// hours follows how far the hours of the S3 layout have been read and judged. A nil value follows nothing.
type hours struct {
	complete chan time.Time // before which nothing is to come any more, except for what was delivered late

	numbers []int // of the hour of each file

	mu    sync.Mutex // guards what follows
	start []time.Time
	open  []int // files and chunks of each hour that are not done yet
	next  int   // the first hour that is not done
}

// delay is how long after a call its record may be delivered without coming late.
const delay = time.Hour

// newHours returns the hours of files that are sorted by them.
func newHours(files []source.Input) *hours {
	h := &hours{complete: make(chan time.Time, 1)}
	for _, f := range files {
		if n := len(h.start); n == 0 || !h.start[n-1].Equal(f.Hour) {
			h.start = append(h.start, f.Hour)
			h.open = append(h.open, 0)
		}
		h.open[len(h.open)-1]++
		h.numbers = append(h.numbers, len(h.start)-1)
	}
	return h
}

// of returns the number of a file's hour.
func (h *hours) of(file int) int {
	if h == nil {
		return 0
	}
	return h.numbers[file]
}

// add notes one more chunk of an hour.
func (h *hours) add(hour int) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[hour]++
}

// done notes that a file or a chunk of an hour is done.
func (h *hours) done(hour int) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[hour]--
	before := h.next
	for h.next < len(h.open) && h.open[h.next] == 0 {
		h.next++
	}
	if h.next == before || h.next == len(h.open) {
		return // nothing new, or the end, which releases everything
	}
	complete := h.start[h.next].Add(-delay)
	select { // in place of an earlier one that nobody has taken yet
	case <-h.complete:
	default:
	}
	h.complete <- complete
}

func (h *hours) close() {
	if h != nil {
		close(h.complete)
	}
}
