// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// coverageWatch warns when detection cannot see much of what passes: over a
// tenth of a minute's invocations without a verdict, or without a group.
type coverageWatch struct {
	mu                      sync.Mutex // guards what follows
	minute                  time.Time  // when the present minute began
	total, unknown, noGroup int64
	warned                  time.Time
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.minute) >= coverageSpan {
		w.judge(now, logger)
		w.minute, w.total, w.unknown, w.noGroup = now, 0, 0, 0
	}
	w.total += total
	w.unknown += unknown
	w.noGroup += noGroup
}

func (w *coverageWatch) judge(now time.Time, logger *zap.Logger) {
	short := (w.unknown+w.noGroup)*coverageShare > w.total
	if !short || w.total < coverageLeast || !w.warned.IsZero() && now.Sub(w.warned) < coverageInterval {
		return
	}
	w.warned = now
	logger.Warn("Over a tenth of a minute's invocations cannot be judged or have no group, so detection does not cover them. "+
		"Of the first, the answer is not in the record (delivery of model output to the log is off, or bodies over 100 KB went to S3); "+
		"of the second, no attribute that user_keys names is set",
		zap.Int64("invocations", w.total), zap.Int64("unknown", w.unknown), zap.Int64("no_group", w.noGroup))
}
