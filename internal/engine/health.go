// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// health reports the engine's faults, and their end, as the component's status. The
// status is a recoverable error while at least one fault lasts.
type health struct {
	mu       sync.Mutex     // guards the fields below
	host     component.Host // nil: the component is not running, and must not report
	storage  error          // why the storage fails
	delivery error          // why alerts are undelivered
	faulty   bool           // what was reported last
}

// start lets faults be reported to host.
func (h *health) start(host component.Host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.host = host
}

// stop ends all reports. The collector itself reports that a component is stopping.
func (h *health) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.host = nil
}

// setStorage records why the storage fails; nil means that it works and holds the
// current state.
func (h *health) setStorage(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.storage = err
	h.report()
}

// setDelivery records why alerts are undelivered; nil means that none is waiting.
func (h *health) setDelivery(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivery = err
	h.report()
}

// report reports the status if it has changed. The caller holds mu.
func (h *health) report() {
	fault := h.storage
	if fault == nil {
		fault = h.delivery
	}
	if h.host == nil || h.faulty == (fault != nil) {
		return
	}
	h.faulty = fault != nil
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if h.faulty {
		event = componentstatus.NewRecoverableErrorEvent(fault)
	}
	componentstatus.ReportStatus(h.host, event)
}
