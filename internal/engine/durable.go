// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state"
)

// storageName distinguishes this state from others that a component may keep in the
// same storage. It is part of the name of file_storage's file, so it must never change.
const storageName = "state"

// durable is the part of an engine that deals with its storage.
type durable struct {
	store   *state.Store  // nil: state is kept in memory only
	loaded  atomic.Bool   // whether the state has been loaded
	ready   chan struct{} // closed once it has
	aborted chan struct{} // closed if the collector stops before that
	// closeStorage closes the storage client if there is no store to do so.
	closeStorage func(context.Context) error
	// loadedAt is the wall time at which the state was loaded, runningAtLoad the running
	// time then. Without a storage both are zero and the wall time serves as running time.
	loadedAt, runningAtLoad time.Time
}

// runningTime converts now to running time: the time for which detection has run.
// While the collector is down it does not advance, so downtime counts neither toward
// retention nor toward how long an alert has been quiet.
func (d *durable) runningTime(now time.Time) time.Time {
	if d.loadedAt.IsZero() {
		return now
	}
	return d.runningAtLoad.Add(now.Sub(d.loadedAt))
}

// errStopping is returned to senders, so that they keep their records.
var errStopping = errors.New("the collector is shutting down before its state was read")

// markReady lets records in.
func (d *durable) markReady() {
	d.loaded.Store(true)
	close(d.ready)
}

// awaitState waits until the state has been loaded. It returns an error when ctx ends
// or the collector stops before that.
func (d *durable) awaitState(ctx context.Context) error {
	if d.loaded.Load() { // unlike the channel, without a lock that all cores contend for
		return nil
	}
	select {
	case <-d.ready:
		return nil
	case <-d.aborted:
		return errStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// slowStart is how long a storage may take at startup before a warning is logged.
const slowStart = 5 * time.Second

// openState opens the state in the storage. It blocks while the storage hangs: until it
// is known to be usable, nothing may be written and no record accepted.
func (e *Engine) openState(ctx context.Context, host component.Host) (*state.Loader, error) {
	late := time.AfterFunc(slowStart, func() {
		e.logger.Warn("The storage has not answered yet; startup waits until it does", zap.Stringer("storage", e.config.Storage))
	})
	defer late.Stop()
	client, err := e.openStorage(ctx, host)
	if err != nil {
		return nil, err
	}
	health := &stateHealth{health: e.health, tel: e.telemetry, logger: e.logger}
	settings := state.Settings{Client: client, Logger: e.logger, Report: health.report, Late: e.outbox.restoreLate}
	for i, r := range e.rules {
		settings.Rules = append(settings.Rules, state.RuleDetector{
			ID: r.alert.ID, Fingerprint: fingerprint(&e.config.Rules[i]), Detector: r.detector,
		})
	}
	loader, err := state.Open(ctx, settings)
	if err != nil {
		_ = client.Close(ctx) // the first error is the one to report
		return nil, fmt.Errorf("storage: %w", err)
	}
	e.closeStorage = client.Close
	return loader, nil
}

// closeState writes the remaining state and closes the storage client.
func (e *Engine) closeState(ctx context.Context) error {
	if e.closeStorage == nil {
		return nil
	}
	closeStorage := e.closeStorage
	e.closeStorage = nil
	var err error
	select {
	case <-e.ready:
		err = e.store.Close(ctx)
	case <-e.aborted:
		err = closeStorage(ctx)
	default:
		return errors.New("storage: no response since startup; the state was neither read nor written")
	}
	if err != nil {
		return fmt.Errorf("storage: could not write the remaining state or close the storage: %w", err)
	}
	return nil
}

// openStorage returns a client of the configured storage extension.
func (e *Engine) openStorage(ctx context.Context, host component.Host) (storage.Client, error) {
	id := *e.config.Storage
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: %q is not running; define it under extensions and list it in service::extensions", id)
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is not a storage extension; allowed: one such as file_storage", id)
	}
	client, err := extension.GetClient(ctx, e.kind, e.id, storageName)
	if err != nil {
		return nil, fmt.Errorf("storage: %q cannot be opened: %w; another collector may be using it ("+
			"each needs its own directory), or its file is damaged (remove it; file_storage::recreate does so for some kinds of damage)", id, err)
	}
	return client, nil
}

// load reads the state and delivers the alerts that were undelivered before the
// restart, then lets records in.
func (e *Engine) load(ctx context.Context, loader *state.Loader) {
	begun := time.Now()
	store, loaded, err := loader.Load(ctx)
	if err != nil { // the collector is shutting down
		close(e.aborted)
		return
	}
	now := e.now()
	e.store, e.loadedAt, e.runningAtLoad = store, now, loaded.Running
	e.telemetry.StateReplayDuration.Record(ctx, time.Since(begun).Seconds())
	alerts := e.outbox.restore(store, loaded.Alerts, loaded.LastAlert)
	var due []dueAlert
	for rule, unreported := range loaded.Unreported {
		due = appendDue(due, rule, unreported)
	}
	alerts = append(alerts, e.outbox.prepare(ctx, due, now)...)
	store.Run()
	if err := store.Commit(ctx); err == nil {
		e.outbox.giveTime(ctx, func(try context.Context) { e.outbox.deliver(try, alerts) })
	}
	e.markReady()
}

// stateHealth reports faults of the storage, and their end, in the component status,
// the metrics and the log.
type stateHealth struct {
	health *health
	tel    *telemetry
	logger *zap.Logger

	mu          sync.Mutex // guards the fields below
	faultLogged bool       // a fault was logged, and its end not yet
	lastLogged  time.Time  // when a fault was last logged
}

// stateLogInterval is the minimum time between two log messages about faults of the
// storage, persistent or intermittent.
const stateLogInterval = time.Minute

// report handles the outcome of writing to or reading from the storage; nil means that
// the storage works and the state in it is current.
func (h *stateHealth) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		if h.faultLogged {
			h.faultLogged = false
			h.logger.Info("The storage works again and holds the current state")
		}
		h.health.setStorage(nil)
		return
	}
	h.tel.StateErrors.Add(context.Background(), 1)
	if now := time.Now(); !errors.Is(err, state.ErrUnreadable) && now.Sub(h.lastLogged) >= stateLogInterval {
		h.lastLogged, h.faultLogged = now, true
		h.logger.Error("The storage failed; detection continues in memory, and pending changes are written once the storage works again", zap.Error(err))
	}
	h.health.setStorage(err)
}
