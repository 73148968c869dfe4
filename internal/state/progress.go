// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"time"

	"go.uber.org/zap"
)

// progress logs how far a load is, when it takes long.
type progress struct {
	logger         *zap.Logger
	begun, logged  time.Time
	pages, pagesIn uint64
}

const progressInterval = time.Second

func newProgress(logger *zap.Logger, r *root) *progress {
	p := &progress{logger: logger, begun: time.Now()}
	p.logged = p.begun
	for _, j := range r.journals {
		if j.first <= j.last {
			p.pages += j.last - j.first + 1
		}
	}
	return p
}

func (p *progress) add(pages int) {
	p.pagesIn += uint64(pages)
	if now := time.Now(); now.Sub(p.logged) >= progressInterval {
		p.logged = now
		p.logger.Info("Reading state from storage; records wait until it is done",
			zap.Uint64("pages_read", p.pagesIn), zap.Uint64("pages", p.pages))
	}
}

func (p *progress) end() {
	if p.pages > 0 {
		p.logger.Info("Read state from storage", zap.Uint64("pages", p.pagesIn), zap.Duration("took", time.Since(p.begun)))
	}
}
