// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/state"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// guardrailProcessor takes each batch of log records through the same steps: read,
// decide, commit, forward, alert.
type guardrailProcessor struct {
	durable
	id        component.ID
	config    *Config
	reader    *invocation.Reader
	rules     []*rule
	counts    kindTable[bool] // kinds that at least one rule counts
	partition []groupField
	next      consumer.Logs
	outbox    *outbox
	telemetry *telemetry
	coverage  coverage
	logger    *zap.Logger
	batches   sync.Pool
	now       func() time.Time
	release   func() // releases the claim on the configuration

	background sync.WaitGroup
	stop       context.CancelFunc
}

var _ processor.Logs = (*guardrailProcessor)(nil)

func newProcessor(settings processor.Settings, config *Config, next consumer.Logs) (*guardrailProcessor, error) {
	tel, err := newTelemetry(settings.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	shared, release := claim(config)
	if shared && config.Storage != nil {
		release()
		return nil, fmt.Errorf("storage: two pipelines use the processor %q, but they cannot share its state. Use a separate instance in each "+
			"pipeline (%[2]s/a, %[2]s/b), or join the pipelines before it with the forward connector", settings.ID, metadata.Type)
	}
	p := &guardrailProcessor{
		durable: durable{ready: make(chan struct{}), aborted: make(chan struct{})},
		id:      settings.ID,
		config:  config,
		reader: invocation.NewReader(invocation.Options{
			GuardrailKeys:      config.GuardrailKeys,
			UserKeys:           config.UserKeys,
			Providers:          config.Providers,
			SilentScopes:       config.SilentScopes,
			ApprovedGuardrails: config.ApprovedGuardrails,
			UnguardableModels:  config.UnguardableModels,
			AssumeGuarded:      patterns(config.AssumeGuarded),
			TrustAnnotations:   config.TrustAnnotations,
		}),
		partition: groupFields(config.PartitionBy),
		next:      next,
		telemetry: tel,
		logger:    settings.Logger,
		now:       time.Now,
		release:   release,
	}
	if config.Storage == nil {
		p.markReady()
	}
	var counted []string
	for i := range config.Rules {
		p.rules = append(p.rules, newRule(&config.Rules[i], config))
		counted = append(counted, config.Rules[i].Count...)
	}
	p.counts = countTable(counted)
	p.outbox = newOutbox(next, newAlertTemplate(settings), p.rules, tel, settings.Logger)
	p.batches.New = func() any { return newBatch(len(p.rules)) }
	if err := tel.registerCallbacks(config, p.rules, p.outbox); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if shared {
		p.logger.Warn("Two pipelines use this processor under one id: each counts separately, so the count of a user whose " +
			"invocations pass through both is split. Use a separate instance in each pipeline " +
			"(gen_ai_guardrail/a, gen_ai_guardrail/b), or join the pipelines before it with the forward connector")
	}
	return p, nil
}

// Capabilities reports that records are modified only when they are annotated.
func (p *guardrailProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: p.config.Annotate}
}

// Start opens the state, if there is a storage, and starts the background work:
// loading the state, retrying undelivered alerts, and running the timers.
func (p *guardrailProcessor) Start(ctx context.Context, host component.Host) error {
	var loader *state.Loader
	if p.config.Storage != nil {
		var err error
		if loader, err = p.openState(ctx, host); err != nil {
			return err
		}
	}
	// Not derived from the context passed to Start, which ends when Start returns.
	background, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.background.Go(func() {
		if loader != nil {
			p.load(background, loader)
		}
		p.background.Go(func() { p.outbox.run(background) })
		p.tick(background)
	})
	return nil
}

// Shutdown delivers pending alerts, as far as ctx allows, and writes the remaining
// state. It may be called twice, and without Start. It ends no window and closes no
// alert.
func (p *guardrailProcessor) Shutdown(ctx context.Context) error {
	defer p.release()
	defer p.telemetry.builder.Shutdown()
	if p.stop != nil {
		p.stop()
		p.waitForBackground()
	}
	if p.config.Storage == nil {
		p.emitSuppressed(ctx, p.now())
	}
	p.outbox.flush(ctx)
	return p.closeState(ctx)
}

// emitSuppressed queues the overflow records of suppressed alerts and evicted groups,
// which would otherwise be lost. With a storage it is not needed: they are kept for the
// next start.
func (p *guardrailProcessor) emitSuppressed(ctx context.Context, now time.Time) {
	var due []dueAlert
	for i, r := range p.rules {
		due = appendDue(due, i, r.detector.Flush(p.runningTime(now)))
	}
	p.outbox.postpone(p.outbox.prepare(ctx, due, now))
}

// stopGrace is how long background work may take beyond inFlightGrace to end, which is
// enough for any that respects its context.
const stopGrace = time.Second

// waitForBackground waits for the background work to end, but not forever: the next
// component or the storage may ignore that its context was canceled.
func (p *guardrailProcessor) waitForBackground() {
	done := make(chan struct{})
	go func() {
		p.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(inFlightGrace + stopGrace):
		p.logger.Error("Timed out waiting for alert delivery or the storage during shutdown; only alerts that are already in a storage are kept")
	}
}

// tickInterval is the time between two runs of the timers, and so the longest delay of
// a closed alert.
const tickInterval = time.Second

// tick checks coverage and runs the timers periodically until ctx ends.
func (p *guardrailProcessor) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := p.now()
			p.coverage.check(now, p.logger)
			// In a goroutine of its own: the storage and the next component may be slow.
			if alerts := p.runTimers(ctx, now); len(alerts) > 0 {
				p.background.Go(func() { p.outbox.commitAndDeliver(ctx, alerts) })
			}
		}
	}
}

// runTimers advances detection to now: it closes alerts and forgets old invocations.
// It returns the alerts to deliver.
func (p *guardrailProcessor) runTimers(ctx context.Context, now time.Time) []pendingAlert {
	p.store.BeginChange()
	defer p.store.EndChange()
	running := p.runningTime(now)
	var due []dueAlert
	for i, r := range p.rules {
		due = appendDue(due, i, r.detector.Tick(running))
	}
	p.store.Advance(running)
	return p.outbox.prepare(ctx, due, now)
}

// ConsumeLogs reads the whole batch before it forwards any of it, because the next
// component may keep or modify what it receives. The outcome is committed before
// forwarding, so that a record that fails to be forwarded is recognized as a
// duplicate when the sender retries.
func (p *guardrailProcessor) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if err := p.awaitState(ctx); err != nil {
		return err
	}
	now := p.now()
	b := p.batches.Get().(*batch)
	defer p.putBack(b)

	p.read(logs, now, b)
	counted, alerts := p.decide(ctx, now, b)
	p.recordMetrics(ctx, b)
	if counted {
		if err := p.store.Commit(ctx); err != nil { // the sender is gone; it will retry
			p.outbox.postpone(alerts)
			return err
		}
	}
	var err error
	if p.config.PassThrough {
		err = p.next.ConsumeLogs(ctx, logs)
	}
	p.outbox.deliver(ctx, alerts)
	return err
}

// read determines the verdict of every record of the batch and collects the
// invocations that each rule counts.
func (p *guardrailProcessor) read(logs plog.Logs, now time.Time, b *batch) {
	inv := &b.invocation
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resource := resourceLogs.Resource()
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			scope := scopeLogs.Scope()
			if p.config.Annotate { // a forged one would be trusted downstream
				invocation.StripAnnotationsAround(resource, scope)
			}
			p.reader.Enter(resource, scope, inv)
			records := scopeLogs.LogRecords()
			if scope.Name() != metadata.ScopeName { // not the alerts of an earlier processor
				b.records += int64(records.Len())
			}
			for i := range records.Len() {
				record := records.At(i)
				if !p.reader.Read(record, inv) {
					if p.config.Annotate {
						invocation.StripAnnotations(record)
					}
					continue
				}
				b.kinds[inv.Verdict][inv.Evidence]++
				if !p.counts[inv.Verdict][inv.Evidence] && !p.config.Annotate {
					continue // saves a twentieth of the time for guarded invocations, the majority
				}
				source := invocation.Source{Resource: resource, Scope: scope, Record: record}
				counted := false
				for i, r := range p.rules {
					if r.counts[inv.Verdict][inv.Evidence] {
						p.reader.Describe(record, inv)
						counted = b.rules[i].collect(r, inv, source, now) || counted
					}
				}
				if counted {
					b.delays = append(b.delays, max(0, now.Sub(time.Unix(0, inv.Time)).Seconds()))
				}
				if p.config.Annotate {
					p.reader.Describe(record, inv)
					inv.Annotate(record, partitionOf(p.partition, inv, source))
				}
			}
		}
	}
}

// decide passes the collected invocations to each rule. It reports whether there were
// any, and returns the alerts to deliver. It prepares them at once, so that what the
// timers emit later of the same alerts is delivered after them.
func (p *guardrailProcessor) decide(ctx context.Context, now time.Time, b *batch) (counted bool, alerts []pendingAlert) {
	p.store.BeginChange()
	defer p.store.EndChange()
	running := p.runningTime(now)
	for i, r := range p.rules {
		collected := &b.rules[i]
		if len(collected.events) == 0 {
			continue
		}
		counted = true
		result := r.detector.Observe(collected.events, running)
		collected.excluded[excludedDuplicate] += int64(result.Repeats)
		b.due = appendDue(b.due, i, result.Alerts)
	}
	return counted, p.outbox.prepare(ctx, b.due, now)
}
