// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	coverageShare          = 10              // a warning is due for more than one in so many
	coverageMinInvocations = 10              // in fewer invocations a share means little
	coverageSpan           = 1 * time.Minute // checked as a whole
	coverageInterval       = 1 * time.Hour   // minimum time between two warnings of one cause
)

// minuteWatch warns when more than a tenth of the invocations within a minute are not
// covered: with a message for each cause, at most once an hour.
type minuteWatch struct {
	end      time.Time
	previous counts                         // at the beginning of the minute
	warned   [len(blindSpots) + 1]time.Time // last warning of each blind spot, and of combined
}

// combined is the index in warned for causes that exceed a tenth only together.
const combined = len(blindSpots)

func (w *minuteWatch) check(now time.Time, seen counts, logger *zap.Logger) {
	if w.end.IsZero() {
		w.end = now.Add(coverageSpan)
	}
	for i := range blindSpots {
		if blindSpots[i].warnOnFirst && seen.blind[i] > 0 && w.warned[i].IsZero() {
			w.warned[i] = now // tally.add logged the warning
		}
	}
	if now.Before(w.end) {
		return
	}
	minute := seen.since(w.previous)
	w.end, w.previous = now.Add(coverageSpan), seen
	if minute.invocations >= coverageMinInvocations {
		w.judge(now, minute, logger)
	}
}

// judge warns of each cause that exceeds a tenth, or of all together when only their
// sum does.
func (w *minuteWatch) judge(now time.Time, minute counts, logger *zap.Logger) {
	total := zap.Int64("invocations", minute.invocations)
	fields := []zapcore.Field{total}
	var sum int64
	single := false
	for i, n := range minute.blind {
		if n == 0 {
			continue
		}
		sum += n
		field := blindSpots[i].field(n)
		fields = append(fields, field)
		if n*coverageShare > minute.invocations {
			single = true
			w.warn(i, now, logger, "More than a tenth of the invocations within a minute "+blindSpots[i].text(), total, field)
		}
	}
	if !single && sum*coverageShare > minute.invocations {
		w.warn(combined, now, logger, "More than a tenth of the invocations within a minute are not covered by detection, for several reasons: see "+inputsPage, fields...)
	}
}

func (w *minuteWatch) warn(cause int, now time.Time, logger *zap.Logger, message string, fields ...zapcore.Field) {
	if last := w.warned[cause]; !last.IsZero() && now.Sub(last) < coverageInterval {
		return
	}
	w.warned[cause] = now
	logger.Warn(message, fields...)
}

// since returns the invocations counted since an earlier moment.
func (c counts) since(before counts) counts {
	c.invocations -= before.invocations
	for i := range c.blind {
		c.blind[i] -= before.blind[i]
	}
	return c
}
