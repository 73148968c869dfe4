// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/internal/state"
)

// Component describes the component that an engine works for.
type Component struct {
	ID        component.ID
	Kind      component.Kind
	Telemetry component.TelemetrySettings
	BuildInfo component.BuildInfo
	ScopeName string // of the alerts' instrumentation scope
	Instruments
}

// Engine takes each batch of records through the same steps: read, decide, commit; its owner then forwards
// what it forwards, and has the alerts delivered.
type Engine struct {
	durable
	id        component.ID
	kind      component.Kind
	config    *settings.Config
	logs      *invocation.Reader
	spans     *invocation.Reader
	rules     []*rule
	counts    kindTable[bool] // kinds that at least one rule counts
	after     bool            // at least one rule counts only what follows an intervention
	guarded   []*guardedGroups
	partition []groupField
	outbox    *outbox
	health    *health
	telemetry *telemetry
	coverage  coverage
	logger    *zap.Logger
	batches   sync.Pool
	now       func() time.Time

	background sync.WaitGroup
	stop       context.CancelFunc
}

// New returns an engine that delivers its alerts to next. The error says which metric could not be created.
func New(c *Component, config *settings.Config, next consumer.Logs) (*Engine, error) {
	e := &Engine{
		durable:   durable{ready: make(chan struct{}), aborted: make(chan struct{})},
		id:        c.ID,
		kind:      c.Kind,
		config:    config,
		logs:      newReader(config, invocation.LogUserKeys, invocation.LogSilentScopes),
		spans:     newReader(config, invocation.SpanUserKeys, invocation.SpanSilentScopes),
		partition: groupFields(config.PartitionBy),
		health:    &health{},
		telemetry: newTelemetry(c.Instruments),
		logger:    c.Telemetry.Logger,
		now:       time.Now,
	}
	if config.Storage == nil {
		e.markReady()
	}
	var counted []string
	for i := range config.Rules {
		e.rules = append(e.rules, newRule(&config.Rules[i], config))
		counted = append(counted, config.Rules[i].Count...)
		e.after = e.after || config.Rules[i].AfterIntervention > 0
	}
	e.counts = countTable(counted)
	e.guarded = shareGuarded(config, e.rules)
	e.outbox = newOutbox(next, newAlertTemplate(c), e.rules, e.health, e.telemetry, e.logger)
	e.batches.New = func() any { return newBatch(len(e.rules), len(e.guarded)) }
	if err := e.telemetry.registerCallbacks(config, e.rules, e.outbox); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return e, nil
}

// newReader returns a reader with the settings, and with the defaults of a signal.
func newReader(config *settings.Config, userKeys, silentScopes func() []string) *invocation.Reader {
	return invocation.NewReader(invocation.Options{
		GuardrailKeys:      config.GuardrailKeys,
		UserKeys:           settings.OrDefault(config.UserKeys, userKeys),
		Providers:          config.Providers,
		SilentScopes:       settings.OrDefault(config.SilentScopes, silentScopes),
		ApprovedGuardrails: config.ApprovedGuardrails,
		UnguardableModels:  config.UnguardableModels,
		AssumeGuarded:      patterns(config.AssumeGuarded),
		PartKeys:           groupKeys(config),
		TrustAnnotations:   config.TrustAnnotations,
	})
}

// Start opens the state, if there is a storage, and starts the background work:
// loading the state, retrying undelivered alerts, and running the timers.
func (e *Engine) Start(ctx context.Context, host component.Host) error {
	e.health.start(host)
	var loader *state.Loader
	if e.config.Storage != nil {
		var err error
		if loader, err = e.openState(ctx, host); err != nil {
			return err
		}
	}
	// Not derived from the context passed to Start, which ends when Start returns.
	background, stop := context.WithCancel(context.Background())
	for _, g := range e.guarded {
		g.since = e.now()
	}
	e.stop = stop
	e.background.Go(func() {
		if loader != nil {
			e.load(background, loader)
		}
		e.background.Go(func() { e.outbox.run(background) })
		e.tick(background)
	})
	return nil
}

// Shutdown delivers pending alerts, as far as ctx allows, and writes the remaining
// state. It may be called twice, and without Start. It ends no window and closes no
// alert.
func (e *Engine) Shutdown(ctx context.Context) error {
	defer e.telemetry.Unregister()
	e.health.stop()
	if e.stop != nil {
		e.stop()
		e.waitForBackground()
	}
	if e.config.Storage == nil {
		e.emitSuppressed(ctx, e.now())
	}
	e.outbox.flush(ctx)
	return e.closeState(ctx)
}

// Alerts are alert records that are due.
type Alerts []pendingAlert

// DetectLogs reads a batch of records and decides on it. What is decided has been committed to the storage, if
// there is one, when DetectLogs returns: a record that then fails to be forwarded is recognized as a duplicate when
// the sender retries. The owner delivers the alerts, after it has forwarded the records. The batch is read to its
// end, since the next component may keep or modify it. The error is the reason for which the sender should retry.
func (e *Engine) DetectLogs(ctx context.Context, logs plog.Logs) (Alerts, error) {
	if err := e.awaitState(ctx); err != nil {
		return nil, err
	}
	now := e.now()
	b := e.batches.Get().(*batch)
	defer e.putBack(b)
	e.readLogs(logs, now, b)
	return e.conclude(ctx, now, b)
}

// Deliver delivers alerts as a batch of their own. Those that are refused are retried in the background.
func (e *Engine) Deliver(ctx context.Context, alerts Alerts) { e.outbox.deliver(ctx, alerts) }

// conclude decides on a batch that was read, and commits the outcome.
func (e *Engine) conclude(ctx context.Context, now time.Time, b *batch) (Alerts, error) {
	e.enterGuarded(b)
	counted, alerts := e.decide(ctx, now, b)
	e.recordMetrics(ctx, b)
	if counted {
		if err := e.store.Commit(ctx); err != nil { // the sender is gone; it will retry
			e.outbox.postpone(alerts)
			return nil, err
		}
	}
	return alerts, nil
}

// decide passes the collected invocations to each rule. It reports whether there were
// any, and returns the alerts to deliver. It prepares them at once, so that what the
// timers emit later of the same alerts is delivered after them.
func (e *Engine) decide(ctx context.Context, now time.Time, b *batch) (counted bool, alerts []pendingAlert) {
	e.store.BeginChange()
	defer e.store.EndChange()
	running := e.runningTime(now)
	for i, r := range e.rules {
		collected := &b.rules[i]
		if len(collected.events) == 0 {
			continue
		}
		counted = true
		result := r.detector.Observe(collected.events, running)
		collected.excluded[excludedDuplicate] += int64(collected.calls - result.Calls)
		b.due = appendDue(b.due, i, result.Alerts)
	}
	return counted, e.outbox.prepare(ctx, b.due, now)
}

// DetectTraces does for the spans of a batch what [Engine.DetectLogs] does for log records.
func (e *Engine) DetectTraces(ctx context.Context, traces ptrace.Traces) (Alerts, error) {
	if err := e.awaitState(ctx); err != nil {
		return nil, err
	}
	now := e.now()
	b := e.batches.Get().(*batch)
	defer e.putBack(b)
	e.readTraces(traces, now, b)
	return e.conclude(ctx, now, b)
}
