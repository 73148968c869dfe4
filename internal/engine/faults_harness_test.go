// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

var errDisk = errors.New("input/output error")

// failing makes every operation of a storage fail.
func failing(int, []*storage.Operation) error { return errDisk }

// failingToWrite is a storage that can be read only.
func failingToWrite(_ int, ops []*storage.Operation) error {
	if slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get }) {
		return errDisk
	}
	return nil
}

// failingToRead is a storage that can be read no more, except for what is read at the start.
func failingToRead(_ int, ops []*storage.Operation) error {
	for _, op := range ops {
		if op.Type == storage.Get && op.Key != "state" && op.Key != "1/root" {
			return errDisk
		}
	}
	return nil
}

// statusHost is a host that receives the status of its component.
type statusHost struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex // guards the fields below
	events []*componentstatus.Event
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// Report implements [componentstatus.Reporter].
func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// statuses returns the statuses received, in order.
func (h *statusHost) statuses() (all []componentstatus.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.events {
		all = append(all, event.Status())
	}
	return all
}

const (
	statusOK      = componentstatus.StatusOK
	statusTrouble = componentstatus.StatusRecoverableError
)

// durableRig is a processor with storage, and a host that receives its status.
type durableRig struct {
	*rig
	disk *storagetest.Disk
	host *statusHost
}

func newDurableRig(t *testing.T, disk *storagetest.Disk, settings string) *durableRig {
	t.Helper()
	return &durableRig{
		rig: newRig(t, settings), disk: disk,
		host: &statusHost{extensions: storageHost{disk}.GetExtensions()},
	}
}

const durableSettings = `{storage: file_storage}`

// startDurable starts a processor with the built-in rule and waits until its state is loaded.
func startDurable(t *testing.T, disk *storagetest.Disk) *durableRig {
	t.Helper()
	return startDurableOf(t, disk, durableSettings)
}

func startDurableOf(t *testing.T, disk *storagetest.Disk, settings string) *durableRig {
	t.Helper()
	r := newDurableRig(t, disk, settings)
	require.NoError(t, r.Start(t.Context(), r.host))
	require.NoError(t, r.AwaitState(t.Context()))
	return r
}

// kill ends the processor as kill -9 would, and returns the disk as it is then.
func (r *durableRig) kill() *storagetest.Disk { return r.crash(r.disk) }

// statuses asserts that the host received exactly these.
func (r *durableRig) statuses(t *testing.T, want ...componentstatus.Status) {
	t.Helper()
	assert.Equal(t, want, r.host.statuses())
}

// stateErrors wants this to be measured.
func (r *durableRig) stateErrors(t *testing.T, want int64) {
	t.Helper()
	if want == 0 {
		r.silent(t, "state_errors")
		return
	}
	r.measured(t, "state_errors", points{point(want)})
}

// errorLines are what the log says of errors.
func (r *rig) errorLines() (lines []string) {
	for _, line := range r.logged.FilterLevelExact(zap.ErrorLevel).All() {
		lines = append(lines, line.Message)
	}
	return lines
}

// remembers wants a restart to know the first five calls of a burst, so that the sixth alone alerts.
func remembers(t *testing.T, disk *storagetest.Disk, calls []call) {
	t.Helper()
	r := startDurable(t, disk)
	r.consume(t, bedrockLogs(calls[5]))
	alerts := r.next.opened()
	require.Len(t, alerts, 1, "the state is gone")
	assert.Equal(t, "6", attr(alerts[0], "gen_ai_guardrail.count"))
	r.consume(t, bedrockLogs(calls...))
	r.excluded(t, point(6, "rule", builtIn, "reason", "duplicate"))
	require.NoError(t, r.Shutdown(t.Context()))
}

// took is the (virtual) time that a call takes.
func took(call func()) time.Duration {
	begun := time.Now()
	call()
	return time.Since(begun)
}
