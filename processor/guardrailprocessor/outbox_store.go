// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/state"
)

// keep puts an alert among what the next commit writes.
func (o *outbox) keep(a pendingAlert) {
	if o.store == nil {
		return
	}
	content, err := (&plog.ProtoMarshaler{}).MarshalLogs(a.logs)
	if err != nil { // logs of our own making always can be
		o.logger.Error("Alert cannot be stored; it is delivered all the same", zap.Error(err))
		return
	}
	o.store.StoreAlert(a.number, content)
}

// settled has alerts forgotten that wait no more. The call that raised them ends
// only when that is in the storage: a crash repeats none that was told before.
func (o *outbox) settled(ctx context.Context, alerts, kept []pendingAlert) {
	if o.store == nil || len(kept) == len(alerts) {
		return
	}
	for _, a := range alerts {
		if !slices.ContainsFunc(kept, func(other pendingAlert) bool { return other.number == a.number }) {
			o.store.DropAlerts(a.number)
		}
	}
	// A sender that has gone need not wait; it will be written all the same.
	_ = o.store.Commit(ctx)
}

// restore takes in the alerts that waited before a restart, and from here on keeps
// those that wait. last is the highest number of any of them, also of those that come
// later. It returns what is to be delivered now.
func (o *outbox) restore(store *state.Store, stored map[uint64][]byte, last uint64) (ready []pendingAlert) {
	o.store, o.made = store, last
	ready = o.decode(stored)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.depart(ready)
	return ready
}

// restoreLate takes in alerts that could not be read at the start.
func (o *outbox) restoreLate(stored map[uint64][]byte) {
	alerts := o.decode(stored)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wait(alerts)
}

// decode gives the alerts that were stored, by number.
func (o *outbox) decode(stored map[uint64][]byte) (alerts []pendingAlert) {
	for _, number := range slices.Sorted(maps.Keys(stored)) {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(stored[number])
		a := pendingAlert{logs: logs, number: number}
		if err != nil || !a.known(o.rules) {
			o.logger.Error("An alert that waited to be delivered cannot be read", zap.Uint64("number", number), zap.Error(err))
			o.store.DropAlerts(number)
			continue
		}
		alerts = append(alerts, a)
	}
	return alerts
}

// known fills in which alert and rule the record is about. It reports false when it
// is no alert's.
func (a *pendingAlert) known(rules []*rule) bool {
	if a.logs.LogRecordCount() != 1 {
		return false
	}
	attributes := a.record().Attributes()
	id, ok := attributes.Get(alert.IDKey)
	if !ok {
		return false
	}
	a.id = id.AsString()
	name, _ := attributes.Get(alert.RuleKey)
	// A rule that is gone has its alerts counted with the first.
	a.rule = max(0, slices.IndexFunc(rules, func(r *rule) bool { return r.alert.ID == name.AsString() }))
	return len(rules) > 0
}

// postpone has prepared alerts delivered in the background.
func (o *outbox) postpone(alerts []pendingAlert) {
	o.mu.Lock()
	o.arrive(alerts)
	o.wait(alerts)
	o.mu.Unlock()
}

// commitAndDeliver delivers alerts once it is in the storage that they are due.
func (o *outbox) commitAndDeliver(ctx context.Context, alerts []pendingAlert) {
	if err := o.store.Commit(ctx); err != nil {
		o.postpone(alerts)
		return
	}
	o.deliver(ctx, alerts)
}
