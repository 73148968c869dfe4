// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state"
)

// storageName tells this state from others that a component may have in one
// storage. It is part of the name of file_storage's file, so it must never change.
const storageName = "state"

// durable is what of a processor has to do with its storage.
type durable struct {
	store  *state.Store  // nil: state lives in memory only
	loaded atomic.Bool   // whether the state is read
	ready  chan struct{} // closed when it is
	unread chan struct{} // closed when it will not be, since the collector stops
	// closeStorage gives the storage back while there is no store.
	closeStorage func(context.Context) error
	// since is the present and the running time at which the state was read. Without a
	// storage it is zero, and the present itself serves as running time.
	since, running time.Time
}

// runningTime gives the present as the time for which detection has run: time for
// which the collector was down does not count, neither for what is remembered nor
// for how long an alert is quiet.
func (d *durable) runningTime(now time.Time) time.Time {
	if d.since.IsZero() {
		return now
	}
	return d.running.Add(now.Sub(d.since))
}

// errStopping tells the sender to keep what it has.
var errStopping = errors.New("the collector stops before its state is read")

// begin lets records in.
func (d *durable) begin() {
	d.loaded.Store(true)
	close(d.ready)
}

// awaitState waits until the state is read.
func (d *durable) awaitState(ctx context.Context) error {
	if d.loaded.Load() { // the channel has a lock, which all cores would share
		return nil
	}
	select {
	case <-d.ready:
		return nil
	case <-d.unread:
		return errStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startPatience is how long a storage may take at the start before the log says so.
const startPatience = 5 * time.Second

// openState looks at the state in the storage. It waits for a storage that hangs: before
// that has told whether it can be used, nothing may be written, and no record taken.
func (p *guardrailProcessor) openState(ctx context.Context, host component.Host) (*state.Loader, error) {
	late := time.AfterFunc(startPatience, func() {
		p.logger.Warn("The storage has not answered yet; the collector waits for it to start", zap.Stringer("storage", p.config.Storage))
	})
	defer late.Stop()
	client, err := p.openStorage(ctx, host)
	if err != nil {
		return nil, err
	}
	health := &stateHealth{host: host, tel: p.telemetry, logger: p.logger}
	settings := state.Settings{Client: client, Logger: p.logger, Report: health.report, Late: p.outbox.restoreLate}
	for i, r := range p.rules {
		settings.Rules = append(settings.Rules, state.RuleDetector{
			ID: r.alert.ID, Fingerprint: fingerprint(&p.config.Rules[i]), Detector: r.detector,
		})
	}
	loader, err := state.Open(ctx, settings)
	if err != nil {
		_ = client.Close(ctx) // the first error is the one to tell
		return nil, fmt.Errorf("storage: %w", err)
	}
	p.closeStorage = client.Close
	return loader, nil
}

// closeState writes what is left and gives the storage back.
func (p *guardrailProcessor) closeState(ctx context.Context) error {
	if p.closeStorage == nil {
		return nil
	}
	closeStorage := p.closeStorage
	p.closeStorage = nil
	var err error
	select {
	case <-p.ready:
		err = p.store.Close(ctx)
	case <-p.unread:
		err = closeStorage(ctx)
	default:
		return errors.New("storage: it has not answered since the start; nothing of the state was read or written")
	}
	if err != nil {
		return fmt.Errorf("storage: the last of the state could not be written: %w", err)
	}
	return nil
}

// openStorage gets a client of the storage extension that the configuration names.
func (p *guardrailProcessor) openStorage(ctx context.Context, host component.Host) (storage.Client, error) {
	id := *p.config.Storage
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: %q is not running; define it under extensions and name it in service::extensions", id)
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is no storage; allowed: one such as file_storage", id)
	}
	client, err := extension.GetClient(ctx, component.KindProcessor, p.id, storageName)
	if err != nil {
		return nil, fmt.Errorf("storage: %q cannot be opened: %w; another collector may be using it ("+
			"each needs a directory of its own), or its file is damaged (remove it; file_storage::recreate does so for some kinds of damage)", id, err)
	}
	return client, nil
}

// load reads the state, and delivers what waited for delivery before any record
// passes.
func (p *guardrailProcessor) load(ctx context.Context, loader *state.Loader) {
	begun := time.Now()
	store, loaded, err := loader.Load(ctx)
	if err != nil { // the collector stops
		close(p.unread)
		return
	}
	now := p.now()
	p.store, p.since, p.running = store, now, loaded.Running
	p.telemetry.builder.ProcessorGenAiGuardrailStateReplayDuration.Record(ctx, time.Since(begun).Seconds())
	alerts := p.outbox.restore(store, loaded.Alerts, loaded.LastAlert)
	var due []dueAlert
	for rule, untold := range loaded.Unreported {
		due = appendDue(due, rule, untold)
	}
	alerts = append(alerts, p.outbox.prepare(ctx, due, now)...)
	store.Run()
	if err := store.Commit(ctx); err == nil {
		try, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		p.outbox.deliver(try, alerts)
	}
	p.begin()
}

// stateHealth tells people how the storage is.
type stateHealth struct {
	host   component.Host
	tel    *telemetry
	logger *zap.Logger

	mu   sync.Mutex // guards what follows
	told bool       // the log was told of a fault, and not yet that it is over
	said time.Time  // when the log was last told of a fault
}

// stateLogInterval is how often the log is told of a storage that goes on failing, or
// fails now and then.
const stateLogInterval = time.Minute

func (h *stateHealth) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		if h.told {
			h.told = false
			h.logger.Info("The storage works: the state is up to date in it")
		}
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	h.tel.builder.ProcessorGenAiGuardrailStateErrors.Add(context.Background(), 1)
	if now := time.Now(); !errors.Is(err, state.ErrUnreadable) && now.Sub(h.said) >= stateLogInterval {
		h.said, h.told = now, true
		h.logger.Error("The storage fails. Detection goes on in memory, and what it misses is written when it works again", zap.Error(err))
	}
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
}
