// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state"
)

const (
	// maxPending bounds the alerts that wait. A rule opens far fewer before
	// somebody looks; past it the oldest are given up.
	maxPending = 1000

	firstRetry = time.Second
	lastRetry  = time.Minute
)

// outbox delivers alerts apart from the records: a refusal never fails them, and
// is made good in the background.
type outbox struct {
	next      consumer.Logs
	template  alertTemplate
	rules     []*rule
	telemetry *telemetry
	logger    *zap.Logger

	mu      sync.Mutex // guards what follows
	pending []pendingAlert
	trying  []pendingAlert // taken out of pending for another try

	wake chan struct{} // holds a token while something waits
}

// pendingAlert is an alert record, as logs of its own, with the place of its rule.
type pendingAlert struct {
	logs plog.Logs
	rule int
}

func newOutbox(next consumer.Logs, template alertTemplate, rules []*rule, tel *telemetry, logger *zap.Logger) *outbox {
	return &outbox{next: next, template: template, rules: rules, telemetry: tel, logger: logger, wake: make(chan struct{}, 1)}
}

// deliver sends the alerts of a call as a batch of their own, once.
func (o *outbox) deliver(ctx context.Context, changes []state.Changes, now time.Time) {
	var due []pendingAlert
	for _, change := range changes {
		for i := range change.Alerts {
			r := o.ruleOf(change.Rule)
			logs, records := o.template.logs()
			o.rules[r].alert.AppendTo(records, &change.Alerts[i], now)
			due = append(due, pendingAlert{logs, r})
		}
	}
	if len(due) == 0 {
		return
	}
	for _, a := range due {
		o.telemetry.opened(ctx, o.rules[a.rule])
	}
	o.try(ctx, due)
}

func (o *outbox) ruleOf(id string) int {
	for i, r := range o.rules {
		if r.alert.ID == id {
			return i
		}
	}
	panic("unreachable: changes come from the rules")
}

// send forwards alerts in one batch. The copy it sends is the next component's
// to change.
func (o *outbox) send(ctx context.Context, alerts []pendingAlert) error {
	logs, records := o.template.logs()
	for _, a := range alerts {
		a.record().CopyTo(records.AppendEmpty())
	}
	return o.next.ConsumeLogs(ctx, logs)
}

func (a pendingAlert) record() plog.LogRecord {
	return a.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// try sends alerts as one batch; one by one when that is refused for good, so
// that an alert which nobody accepts takes no other with it.
func (o *outbox) try(ctx context.Context, alerts []pendingAlert) {
	err := o.send(ctx, alerts)
	switch {
	case err == nil:
	case !consumererror.IsPermanent(err):
		o.keep(ctx, alerts, err)
	case len(alerts) == 1:
		o.giveUp(ctx, alerts, "the next component will never accept it", err)
	default:
		for i := range alerts {
			o.try(ctx, alerts[i:i+1])
		}
	}
}

// keep lets alerts that were refused wait for another try, the oldest first.
func (o *outbox) keep(ctx context.Context, alerts []pendingAlert, err error) {
	o.mu.Lock()
	o.pending, o.trying = append(o.pending, alerts...), nil
	slices.SortStableFunc(o.pending, func(a, b pendingAlert) int {
		return cmp.Compare(a.record().Timestamp(), b.record().Timestamp())
	})
	excess := slices.Clone(o.pending[:max(0, len(o.pending)-maxPending)])
	o.pending = slices.Clone(o.pending[len(excess):])
	o.mu.Unlock()
	o.giveUp(ctx, excess, "too many alerts wait to be delivered", err)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// giveUp counts alerts that are lost and puts their content into the log.
func (o *outbox) giveUp(ctx context.Context, alerts []pendingAlert, why string, err error) {
	for _, a := range alerts {
		o.telemetry.dropped(ctx, o.rules[a.rule])
		record := a.record()
		o.logger.Error("Alert could not be delivered: "+why, zap.Error(err),
			zap.String("alert", record.Body().Str()), zap.Any("attributes", record.Attributes().AsRaw()))
	}
}

// run tries again what waits, at growing intervals, until ctx ends.
func (o *outbox) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		}
		for interval := firstRetry; o.waiting() > 0; interval = min(2*interval, lastRetry) {
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

// retry tries all that waits.
func (o *outbox) retry(ctx context.Context) {
	o.mu.Lock()
	alerts := o.pending
	o.pending, o.trying = nil, alerts
	o.mu.Unlock()
	o.try(ctx, alerts)
	o.mu.Lock()
	o.trying = nil
	o.mu.Unlock()
}

func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending)
}

// waitingOf counts what waits by rule.
func (o *outbox) waitingOf() []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := make([]int64, len(o.rules))
	for _, a := range slices.Concat(o.pending, o.trying) {
		counts[a.rule]++
	}
	return counts
}

// lastTry bounds the delivery at shutdown: the collector sets no limit of its own,
// and an exporter may retry without end.
const lastTry = 5 * time.Second

// flush tries a last time, and gives up what is still refused.
func (o *outbox) flush(ctx context.Context) {
	if o.waiting() == 0 {
		return
	}
	try, cancel := context.WithTimeout(ctx, lastTry)
	defer cancel()
	o.retry(try)
	o.mu.Lock()
	rest := o.pending
	o.pending = nil
	o.mu.Unlock()
	o.giveUp(ctx, rest, "the collector stops, and nothing keeps it", nil)
}
