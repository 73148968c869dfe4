// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"time"

	"go.uber.org/zap"
)

// progress tells in the log how far a load is, when it takes its time.
type progress struct {
	logger      *zap.Logger
	begun, told time.Time
	pages, done uint64
	events      int
}

const progressInterval = time.Second

func newProgress(logger *zap.Logger, r *root) *progress {
	p := &progress{logger: logger, begun: time.Now()}
	p.told = p.begun
	for _, j := range r.journals {
		if j.first <= j.last {
			p.pages += j.last - j.first + 1
		}
	}
	return p
}

func (p *progress) add(pages, events int) {
	p.done += uint64(pages)
	p.events = events
	if now := time.Now(); now.Sub(p.told) >= progressInterval {
		p.told = now
		p.logger.Info("Reading the state; records wait meanwhile", zap.Uint64("pages_read", p.done), zap.Uint64("pages", p.pages))
	}
}

func (p *progress) end() {
	if p.pages > 0 {
		p.logger.Info("State read", zap.Uint64("pages", p.done), zap.Duration("took", time.Since(p.begun)))
	}
}
