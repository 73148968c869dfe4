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

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state"
)

const (
	// maxPending bounds the alerts that wait; past it the oldest are given up.
	maxPending = 1000

	firstRetry = time.Second
	lastRetry  = time.Minute
)

// outbox delivers alerts apart from the records: a refusal never fails them, and
// is made good in the background. What is told of one alert arrives in order: a
// record waits while an earlier one of the same alert is on its way. Alerts do not
// wait for each other.
type outbox struct {
	next      consumer.Logs
	template  alertTemplate
	rules     []*rule
	telemetry *telemetry
	logger    *zap.Logger
	store     *state.Store // nil: what waits lives in memory only

	mu       sync.Mutex     // guards what follows
	made     uint64         // records so far
	pending  []pendingAlert // by number
	trying   []pendingAlert // taken out of pending for another try
	onTheWay map[string]int // records that are being sent, by the alert's id

	wake chan struct{} // holds a token while something waits
}

// pendingAlert is an alert record, as logs of its own, with the place of its rule.
type pendingAlert struct {
	logs   plog.Logs
	id     string // of the alert
	rule   int
	number uint64 // in the order in which they are to be told
}

func newOutbox(next consumer.Logs, template alertTemplate, rules []*rule, tel *telemetry, logger *zap.Logger) *outbox {
	return &outbox{
		next: next, template: template, rules: rules, telemetry: tel, logger: logger,
		onTheWay: map[string]int{}, wake: make(chan struct{}, 1),
	}
}

// dueAlert is what is to be told of an alert of a rule.
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

// prepare makes the records of alerts. It returns those to deliver now; the others
// wait for an earlier record of their alert.
func (o *outbox) prepare(ctx context.Context, due []dueAlert, now time.Time) (ready []pendingAlert) {
	if len(due) == 0 {
		return nil
	}
	alerts := make([]pendingAlert, len(due))
	for i := range due {
		if due[i].State == detect.Overflow {
			due[i].Opened = now.UnixNano() // running time is no name
		}
		logs, records := o.template.logs()
		o.rules[due[i].rule].alert.AppendTo(records, &due[i].Alert, now)
		id, _ := records.At(0).Attributes().Get(alert.IDKey)
		alerts[i] = pendingAlert{logs: logs, id: id.Str(), rule: due[i].rule}
		o.telemetry.told(ctx, due[i].rule, due[i].State)
	}
	o.mu.Lock()
	waiting := map[string]bool{}
	for _, a := range o.pending {
		waiting[a.id] = true
	}
	for _, a := range alerts {
		o.made++
		a.number = o.made
		o.keep(a)
		if waiting[a.id] || o.onTheWay[a.id] > 0 {
			waiting[a.id] = true
			o.pending = append(o.pending, a)
		} else {
			ready = append(ready, a)
		}
	}
	o.depart(ready)
	excess := o.cutExcess()
	o.mu.Unlock()
	o.giveUp(ctx, excess, "too many alerts wait to be delivered", nil)
	return ready
}

// depart and arrive note what is on its way. The caller holds mu.
func (o *outbox) depart(alerts []pendingAlert) {
	for _, a := range alerts {
		o.onTheWay[a.id]++
	}
}

func (o *outbox) arrive(alerts []pendingAlert) {
	for _, a := range alerts {
		if o.onTheWay[a.id]--; o.onTheWay[a.id] == 0 {
			delete(o.onTheWay, a.id)
		}
	}
}

// cutExcess takes the oldest alerts over the bound out of pending.
func (o *outbox) cutExcess() []pendingAlert {
	excess := slices.Clone(o.pending[:max(0, len(o.pending)-maxPending)])
	o.pending = slices.Delete(o.pending, 0, len(excess))
	return excess
}

// deliver sends prepared alerts as a batch of their own. What is refused waits.
func (o *outbox) deliver(ctx context.Context, alerts []pendingAlert) {
	if len(alerts) == 0 {
		return
	}
	kept, err := o.try(ctx, alerts)
	o.settled(ctx, alerts, kept)
	o.mu.Lock()
	o.arrive(alerts)
	o.trying = nil
	o.wait(kept)
	excess := o.cutExcess()
	o.mu.Unlock()
	o.giveUp(ctx, excess, "too many alerts wait to be delivered", err)
}

// wait puts alerts among those that are to be tried again. The caller holds mu.
func (o *outbox) wait(alerts []pendingAlert) {
	o.pending = append(o.pending, alerts...)
	slices.SortFunc(o.pending, func(a, b pendingAlert) int { return cmp.Compare(a.number, b.number) })
	if len(o.pending) > 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// retry delivers what waits, but for what follows a record that is on its way.
func (o *outbox) retry(ctx context.Context) {
	if err := o.store.Commit(ctx); err != nil {
		return
	}
	o.mu.Lock()
	var alerts, rest []pendingAlert
	for _, a := range o.pending {
		if o.onTheWay[a.id] > 0 {
			rest = append(rest, a)
		} else {
			alerts = append(alerts, a)
		}
	}
	o.pending, o.trying = rest, alerts
	o.depart(alerts)
	o.mu.Unlock()
	o.deliver(ctx, alerts)
}

// send forwards alerts in one batch, unless ctx is over. The copy it sends is the
// next component's to change.
func (o *outbox) send(ctx context.Context, alerts []pendingAlert) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	logs, records := o.template.logs()
	for _, a := range alerts {
		a.record().CopyTo(records.AppendEmpty())
	}
	ctx, cancel := outlast(ctx)
	defer cancel()
	return o.next.ConsumeLogs(ctx, logs)
}

// underWayGrace is how much longer than its context a delivery may take that has
// begun. A sender goes, or the collector stops; what is broken off then the backend may
// have all the same, and it would be told again.
const underWayGrace = 2 * time.Second

// outlast derives a context that ends underWayGrace after ctx.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(underWayGrace):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel()
	}
}

func (a pendingAlert) record() plog.LogRecord {
	return a.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// try sends alerts as one batch; one by one when that is refused for good, so
// that an alert which nobody accepts takes no other with it. It returns those that
// are to be tried again, and the error that they met.
func (o *outbox) try(ctx context.Context, alerts []pendingAlert) (kept []pendingAlert, err error) {
	if len(alerts) == 0 {
		return nil, nil
	}
	err = o.send(ctx, alerts)
	switch {
	case err == nil:
		return nil, nil
	case !consumererror.IsPermanent(err):
		return alerts, err
	case len(alerts) == 1:
		o.giveUp(ctx, alerts, "the next component will never accept it", err)
		return nil, nil
	}
	for i := range alerts {
		again, refusal := o.try(ctx, alerts[i:i+1])
		if refusal != nil {
			kept, err = append(kept, again...), refusal
		}
	}
	return kept, err
}

// giveUp counts alerts that are lost and puts their content into the log.
func (o *outbox) giveUp(ctx context.Context, alerts []pendingAlert, why string, err error) {
	for _, a := range alerts {
		o.store.DropAlerts(a.number)
		o.telemetry.dropped(ctx, a.rule)
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

// patience is how long others wait for a delivery, records at the start and the
// collector at shutdown: it sets no limit of its own, and an exporter may retry without
// end. What is under way then has underWayGrace more.
const patience = 3 * time.Second

// flush tries a last time. What is still refused stays in the storage; without
// one it is given up.
func (o *outbox) flush(ctx context.Context) {
	if o.waiting() == 0 {
		return
	}
	try, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o.retry(try)
	o.mu.Lock()
	rest := o.pending
	o.pending = nil
	o.mu.Unlock()
	if o.store != nil {
		return
	}
	o.giveUp(ctx, rest, "the collector stops, and nothing keeps it", nil)
}
