// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	coverageShare    = 10              // one in so many is too much
	coverageLeast    = 10              // of fewer invocations a share says nothing
	coverageSpan     = 1 * time.Minute // judged as a whole
	coverageInterval = 1 * time.Hour   // between two warnings of one cause
)

// minuteWatch warns when over a tenth of a minute's invocations are not covered,
// each cause in its own words and at most once an hour.
type minuteWatch struct {
	end    time.Time
	before counts // at the beginning of the minute
	warned [len(blindSpots) + 1]time.Time
}

// mixed is the place in warned for causes that are over a tenth only together.
const mixed = len(blindSpots)

func (w *minuteWatch) look(now time.Time, seen counts, logger *zap.Logger) {
	if w.end.IsZero() {
		w.end = now.Add(coverageSpan)
	}
	for i := range blindSpots {
		if blindSpots[i].announced && seen.blind[i] > 0 && w.warned[i].IsZero() {
			w.warned[i] = now // by the call that saw it
		}
	}
	if now.Before(w.end) {
		return
	}
	minute := seen.since(w.before)
	w.end, w.before = now.Add(coverageSpan), seen
	if minute.invocations >= coverageLeast {
		w.judge(now, minute, logger)
	}
}

// judge warns of each cause that is over a tenth, or of all of them when only
// their sum is.
func (w *minuteWatch) judge(now time.Time, minute counts, logger *zap.Logger) {
	total := zap.Int64("invocations", minute.invocations)
	fields := []zapcore.Field{total}
	var sum int64
	alone := false
	for i, n := range minute.blind {
		if n == 0 {
			continue
		}
		sum += n
		field := blindSpots[i].field(n)
		fields = append(fields, field)
		if n*coverageShare > minute.invocations {
			alone = true
			w.warn(i, now, logger, "Over a tenth of a minute's invocations "+blindSpots[i].text(), total, field)
		}
	}
	if !alone && sum*coverageShare > minute.invocations {
		w.warn(mixed, now, logger, "Over a tenth of a minute's invocations are not covered by detection, for more than one reason: see "+inputsPage, fields...)
	}
}

func (w *minuteWatch) warn(cause int, now time.Time, logger *zap.Logger, message string, fields ...zapcore.Field) {
	if last := w.warned[cause]; !last.IsZero() && now.Sub(last) < coverageInterval {
		return
	}
	w.warned[cause] = now
	logger.Warn(message, fields...)
}

// since returns what has passed from an earlier moment on.
func (c counts) since(before counts) counts {
	c.invocations -= before.invocations
	for i := range c.blind {
		c.blind[i] -= before.blind[i]
	}
	return c
}
