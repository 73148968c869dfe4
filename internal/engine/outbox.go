// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state"
)

const (
	// maxPending limits the alerts waiting to be retried; beyond it, the oldest are dropped.
	maxPending = 1000
	// maxPendingBytes limits how much memory these take: a caller chooses how long its name is.
	maxPendingBytes = 64 << 20

	minRetryInterval = time.Second
	maxRetryInterval = time.Minute
)

// outbox delivers alerts separately from the records: a refused alert never fails
// the records, and is retried in the background. The records of one alert are
// delivered in order: a record waits while an earlier one of the same alert is
// pending or in flight. Different alerts do not wait for each other.
type outbox struct {
	next      consumer.Logs
	template  alertTemplate
	rules     []*rule
	health    *health
	telemetry *telemetry
	logger    *zap.Logger
	store     *state.Store // nil: pending alerts are kept in memory only

	mu         sync.Mutex     // guards the fields below, except for wake
	lastNumber uint64         // of the record prepared last
	pending    []pendingAlert // by number
	retrying   []pendingAlert // removed from pending for the retry in progress
	inFlight   map[string]int // number of records being sent, by alert id

	wake chan struct{} // holds a token when run has something to retry
}

// pendingAlert is an alert record in a plog.Logs of its own, with the index of its rule.
type pendingAlert struct {
	logs   plog.Logs
	id     string // of the alert
	rule   int
	number uint64 // position in the order of delivery
	size   int    // in bytes
}

func newOutbox(next consumer.Logs, template alertTemplate, rules []*rule, h *health, tel *telemetry, logger *zap.Logger) *outbox {
	return &outbox{
		next: next, template: template, rules: rules, health: h, telemetry: tel, logger: logger,
		inFlight: map[string]int{}, wake: make(chan struct{}, 1),
	}
}

// dueAlert is an alert to emit, with the index of its rule.
type dueAlert struct {
	detect.Alert
	rule int
}

func appendDue(due []dueAlert, rule int, alerts []detect.Alert) []dueAlert {
	for _, a := range alerts {
		due = append(due, dueAlert{a, rule})
	}
	return due
}

// prepare creates the records of the due alerts and marks those that it returns,
// which the caller delivers now, as in flight. The others wait in pending for an
// earlier record of their alert.
func (o *outbox) prepare(ctx context.Context, due []dueAlert, now time.Time) (ready []pendingAlert) {
	if len(due) == 0 {
		return nil
	}
	alerts := make([]pendingAlert, len(due))
	for i := range due {
		if due[i].State == detect.Overflow {
			due[i].Opened = now.UnixNano() // part of the id, which running time does not make unique
		}
		logs, records := o.template.logs()
		r := o.rules[due[i].rule]
		r.alert.AppendTo(records, &due[i].Alert, r.lastGuarded(&due[i].Alert), now)
		id, _ := records.At(0).Attributes().Get(alert.IDKey)
		alerts[i] = pendingAlert{logs: logs, id: id.Str(), rule: due[i].rule, size: sizeOf(logs)}
		o.telemetry.emitted(ctx, due[i].rule, due[i].State)
	}
	o.mu.Lock()
	waiting := map[string]bool{}
	for _, a := range o.pending {
		waiting[a.id] = true
	}
	for _, a := range alerts {
		o.lastNumber++
		a.number = o.lastNumber
		o.storeAlert(a)
		if waiting[a.id] || o.inFlight[a.id] > 0 {
			waiting[a.id] = true
			o.pending = append(o.pending, a)
		} else {
			ready = append(ready, a)
		}
	}
	o.markInFlight(ready)
	excess := o.takeExcess()
	o.mu.Unlock()
	o.drop(ctx, excess, "too many alerts are waiting for delivery", nil)
	return ready
}

// markInFlight records that the alerts are being sent. The caller holds mu.
func (o *outbox) markInFlight(alerts []pendingAlert) {
	for _, a := range alerts {
		o.inFlight[a.id]++
	}
}

// clearInFlight reverses markInFlight. The caller holds mu.
func (o *outbox) clearInFlight(alerts []pendingAlert) {
	for _, a := range alerts {
		if o.inFlight[a.id]--; o.inFlight[a.id] == 0 {
			delete(o.inFlight, a.id)
		}
	}
}

// sizeOf returns about how much memory an alert takes.
func sizeOf(logs plog.Logs) int { return (&plog.ProtoMarshaler{}).LogsSize(logs) }

// takeExcess removes the oldest alerts beyond maxPending and maxPendingBytes from pending
// and returns them. The caller holds mu.
func (o *outbox) takeExcess() []pendingAlert {
	kept, bytes := 0, 0
	for ; kept < min(len(o.pending), maxPending); kept++ {
		if bytes += o.pending[len(o.pending)-1-kept].size; bytes > maxPendingBytes && kept > 0 {
			break
		}
	}
	excess := slices.Clone(o.pending[:len(o.pending)-kept])
	o.pending = slices.Delete(o.pending, 0, len(excess))
	return excess
}

// deliver sends prepared alerts as a batch of their own, and queues those that are
// refused for a retry.
func (o *outbox) deliver(ctx context.Context, alerts []pendingAlert) {
	if len(alerts) == 0 {
		return
	}
	refused, err := o.try(ctx, alerts)
	o.markDelivered(ctx, alerts, refused)
	o.mu.Lock()
	o.clearInFlight(alerts)
	if slices.ContainsFunc(o.retrying, func(a pendingAlert) bool { return a.number == alerts[0].number }) {
		o.retrying = nil // this is the retry, not a delivery that overtook it
	}
	o.enqueue(refused)
	excess := o.takeExcess()
	o.reportHealth(refused, err)
	o.mu.Unlock()
	o.drop(ctx, excess, "too many alerts are waiting for delivery", err)
}

// reportHealth reports that alerts were refused, or that none is waiting any more. The
// caller holds mu, so that concurrent deliveries report in the order of their outcomes.
func (o *outbox) reportHealth(refused []pendingAlert, err error) {
	switch {
	case len(refused) > 0:
		o.health.setDelivery(fmt.Errorf("alerts are waiting for delivery: %w", err))
	case len(o.pending) == 0 && len(o.retrying) == 0:
		o.health.setDelivery(nil)
	}
}

// enqueue adds alerts to pending and wakes run. The caller holds mu.
func (o *outbox) enqueue(alerts []pendingAlert) {
	o.pending = append(o.pending, alerts...)
	slices.SortFunc(o.pending, func(a, b pendingAlert) int { return cmp.Compare(a.number, b.number) })
	if len(o.pending) > 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// retry delivers the pending alerts, except for those with an earlier record in
// flight.
func (o *outbox) retry(ctx context.Context) {
	if err := o.store.Commit(ctx); err != nil {
		return
	}
	o.mu.Lock()
	var alerts, rest []pendingAlert
	for _, a := range o.pending {
		if o.inFlight[a.id] > 0 {
			rest = append(rest, a)
		} else {
			alerts = append(alerts, a)
		}
	}
	o.pending, o.retrying = rest, alerts
	o.markInFlight(alerts)
	o.mu.Unlock()
	o.deliver(ctx, alerts)
}

// send forwards alerts in one batch, unless ctx has ended. It sends a copy, which
// the next component may modify.
func (o *outbox) send(ctx context.Context, alerts []pendingAlert) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	logs, records := o.template.logs()
	for _, a := range alerts {
		a.record().CopyTo(records.AppendEmpty())
	}
	ctx, cancel := withGrace(ctx)
	defer cancel()
	return o.next.ConsumeLogs(ctx, logs)
}

func (a pendingAlert) record() plog.LogRecord {
	return a.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// try sends alerts as one batch, and one by one when the batch is refused
// permanently, so that one unacceptable alert does not prevent the delivery of the
// others. It returns the alerts to retry and the error that they were refused with.
func (o *outbox) try(ctx context.Context, alerts []pendingAlert) (refused []pendingAlert, err error) {
	if len(alerts) == 0 {
		return nil, nil
	}
	err = o.send(ctx, alerts)
	switch {
	case err == nil:
		return nil, nil
	case !isPermanent(err):
		return alerts, err
	case len(alerts) == 1:
		o.drop(ctx, alerts, "the next component refused it permanently", err)
		return nil, nil
	}
	for i := range alerts {
		if slices.ContainsFunc(refused, func(earlier pendingAlert) bool { return earlier.id == alerts[i].id }) {
			refused = append(refused, alerts[i]) // it must not overtake an earlier record of its alert
			continue
		}
		again, refusal := o.try(ctx, alerts[i:i+1])
		if refusal != nil {
			refused, err = append(refused, again...), refusal
		}
	}
	return refused, err
}

// isPermanent reports whether every component that an error comes from refuses for good.
// Behind a fan-out, one may do so while another would accept the alert later.
func isPermanent(err error) bool {
	if !consumererror.IsPermanent(err) {
		return false
	}
	switch e := err.(type) { //nolint:errorlint // every level is visited
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(part error) bool { return !isPermanent(part) })
	case interface{ Unwrap() error }: // if not what it wraps, then it is permanent itself
		return !consumererror.IsPermanent(e.Unwrap()) || isPermanent(e.Unwrap())
	default:
		return true
	}
}

// drop counts alerts as lost and logs their content.
func (o *outbox) drop(ctx context.Context, alerts []pendingAlert, why string, err error) {
	for _, a := range alerts {
		o.store.DropAlerts(a.number)
		o.telemetry.dropped(ctx, a.rule)
		record := a.record()
		o.logger.Error("Alert could not be delivered: "+why, zap.Error(err),
			zap.String("alert", record.Body().Str()), zap.Any("attributes", record.Attributes().AsRaw()))
	}
}

// run retries the pending alerts at growing intervals until ctx ends.
func (o *outbox) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		}
		for interval := minRetryInterval; o.pendingCount() > 0; interval = min(2*interval, maxRetryInterval) {
			timer := time.NewTimer(interval)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			o.retry(ctx)
		}
	}
}

func (o *outbox) pendingCount() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending)
}

// pendingByRule returns the number of alerts waiting to be retried, or being
// retried, for each rule.
func (o *outbox) pendingByRule() []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := make([]int64, len(o.rules))
	for _, a := range slices.Concat(o.pending, o.retrying) {
		counts[a.rule]++
	}
	return counts
}
