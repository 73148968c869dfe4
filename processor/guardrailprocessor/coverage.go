// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// coverageWatch warns when detection cannot see much of what passes: over a
// tenth of a minute's invocations without a verdict, or without a group.
//
// Calls on all cores note what they saw; only the one that ends a minute takes the lock.
type coverageWatch struct {
	total, unknown, noGroup atomic.Int64
	end                     atomic.Int64 // of the present minute, Unix nanoseconds

	mu     sync.Mutex // guards what follows
	warned time.Time
}

const (
	coverageShare    = 10              // one in so many is too much
	coverageLeast    = 10              // of fewer invocations a share says nothing
	coverageInterval = 1 * time.Hour   // between two warnings
	coverageSpan     = 1 * time.Minute // that is looked at as a whole
)

// note takes in what a batch came to. The first batch behind a minute's end
// judges that minute.
func (w *coverageWatch) note(now time.Time, total, unknown, noGroup int64, logger *zap.Logger) {
	end := w.end.Load()
	left := end - now.UnixNano() // more than a minute: the clock was set back
	if (left <= 0 || left > int64(coverageSpan)) && w.end.CompareAndSwap(end, now.Add(coverageSpan).UnixNano()) {
		w.judge(now, logger)
	}
	w.total.Add(total)
	if unknown > 0 {
		w.unknown.Add(unknown)
	}
	if noGroup > 0 {
		w.noGroup.Add(noGroup)
	}
}

// judge begins to count anew.
func (w *coverageWatch) judge(now time.Time, logger *zap.Logger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total, unknown, noGroup := w.total.Swap(0), w.unknown.Swap(0), w.noGroup.Swap(0)
	short := (unknown+noGroup)*coverageShare > total
	if !short || total < coverageLeast || !w.warned.IsZero() && now.Sub(w.warned) < coverageInterval {
		return
	}
	w.warned = now
	logger.Warn("Over a tenth of a minute's invocations cannot be judged or have no group, so detection does not cover them. "+
		"Of the first, the answer is not in the record (delivery of model output to the log is off, or bodies over 100 KB went to S3); "+
		"of the second, no attribute that user_keys names is set",
		zap.Int64("invocations", total), zap.Int64("unknown", unknown), zap.Int64("no_group", noGroup))
}
