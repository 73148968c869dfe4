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

// guardrailProcessor takes each batch of records through the same steps: read,
// decide, commit, forward, alert.
type guardrailProcessor struct {
	durable
	id        component.ID
	config    *Config
	reader    *invocation.Reader
	rules     []*rule
	counts    kindTable[bool] // what some rule does
	partition []groupField
	next      consumer.Logs
	outbox    *outbox
	telemetry *telemetry
	coverage  coverage
	logger    *zap.Logger
	batches   sync.Pool
	now       func() time.Time
	release   func() // gives back the claim on the configuration

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
		return nil, fmt.Errorf("storage: two pipelines use %q under one id, which cannot share their state. Name one instance for each "+
			"pipeline (%[2]s/a, %[2]s/b), or join the pipelines before it with the forward connector", settings.ID, metadata.Type)
	}
	p := &guardrailProcessor{
		durable: durable{ready: make(chan struct{}), unread: make(chan struct{})},
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
		p.begin()
	}
	var counted []string
	for i := range config.Rules {
		p.rules = append(p.rules, newRule(&config.Rules[i], config))
		counted = append(counted, config.Rules[i].Count...)
	}
	p.counts = countTable(counted)
	p.outbox = newOutbox(next, newAlertTemplate(settings), p.rules, tel, settings.Logger)
	p.batches.New = func() any { return newBatch(len(p.rules)) }
	if err := tel.observe(config, p.rules, p.outbox); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if shared {
		p.logger.Warn("Two pipelines use this processor under one id: each counts on its own, so a user whose " +
			"invocations pass through both is seen twice and by halves. Name one instance for each pipeline " +
			"(gen_ai_guardrail/a, gen_ai_guardrail/b), or join the pipelines before it with the forward connector")
	}
	return p, nil
}

// Capabilities tells that records are changed only to annotate them.
func (p *guardrailProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: p.config.Annotate}
}

// Start begins to read the state, to deliver again what could not be delivered at
// once, and to do what time alone brings about.
func (p *guardrailProcessor) Start(ctx context.Context, host component.Host) error {
	var loader *state.Loader
	if p.config.Storage != nil {
		var err error
		if loader, err = p.openState(ctx, host); err != nil {
			return err
		}
	}
	// Not derived from the context of Start, which ends when Start does.
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

// Shutdown delivers what waits, as far as ctx allows, and writes what is left of
// the state. It may be called twice, and without Start. It ends no window and closes
// no alert.
func (p *guardrailProcessor) Shutdown(ctx context.Context) error {
	defer p.release()
	defer p.telemetry.builder.Shutdown()
	if p.stop != nil {
		p.stop()
		p.waitForBackground()
	}
	if p.config.Storage == nil {
		p.tellHeldBack(ctx, p.now())
	}
	p.outbox.flush(ctx)
	return p.closeState(ctx)
}

// tellHeldBack has told what nobody will know of any more: what the limits have held
// back, and groups that were forgotten. A storage keeps it for the next start.
func (p *guardrailProcessor) tellHeldBack(ctx context.Context, now time.Time) {
	var due []dueAlert
	for i, r := range p.rules {
		due = appendDue(due, i, r.detector.Flush(p.runningTime(now)))
	}
	p.outbox.postpone(p.outbox.prepare(ctx, due, now))
}

// stopGrace is how long background work may take beyond underWayGrace: what heeds its
// context ends by then.
const stopGrace = time.Second

// waitForBackground does not wait for ever, since the next component or the storage
// may not heed that it is to stop.
func (p *guardrailProcessor) waitForBackground() {
	done := make(chan struct{})
	go func() {
		p.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(underWayGrace + stopGrace):
		p.logger.Error("The next component does not return from the delivery of an alert, or the storage from a call; it is given up")
	}
}

// tickInterval is by how much a closing alert may be late.
const tickInterval = time.Second

// tick does what time alone brings about, until ctx ends.
func (p *guardrailProcessor) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := p.now()
			p.coverage.look(now, p.logger)
			// Apart, since the storage and the next component may take their time.
			if alerts := p.settle(ctx, now); len(alerts) > 0 {
				p.background.Go(func() { p.outbox.commitAndDeliver(ctx, alerts) })
			}
		}
	}
}

// settle closes what is over, and forgets.
func (p *guardrailProcessor) settle(ctx context.Context, now time.Time) []pendingAlert {
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

// ConsumeLogs reads the whole batch before it forwards any of it: the next
// component may keep or change what it is given. What the batch came to is
// committed before that, so that a record whose forwarding fails, and which the
// sender will send again, is known then.
func (p *guardrailProcessor) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if err := p.awaitState(ctx); err != nil {
		return err
	}
	now := p.now()
	b := p.batches.Get().(*batch)
	defer p.putBack(b)

	p.read(logs, now, b)
	counted, alerts := p.decide(ctx, now, b)
	p.report(ctx, b)
	if counted {
		if err := p.store.Commit(ctx); err != nil { // the sender has gone; it will come again
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

// read judges every record of the batch and collects what each rule counts.
func (p *guardrailProcessor) read(logs plog.Logs, now time.Time, b *batch) {
	inv := &b.invocation
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resource := resourceLogs.Resource()
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			scope := scopeLogs.Scope()
			if p.config.Annotate { // forged ones would be believed further on
				invocation.StripAnnotationsAround(resource, scope)
			}
			p.reader.Enter(resource, scope, inv)
			records := scopeLogs.LogRecords()
			if scope.Name() != metadata.ScopeName { // alerts of a processor before this one
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
					continue // as with most, which are guarded: a twentieth of what they take
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

// decide puts what was collected to each rule. It reports whether there was
// anything, and prepares the alerts: nothing that the timer finds later is told
// before them.
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
