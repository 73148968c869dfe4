// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/state"
)

// storeAlert adds an alert to the next commit, if there is a storage.
func (o *outbox) storeAlert(a pendingAlert) {
	if o.store == nil {
		return
	}
	content, err := (&plog.ProtoMarshaler{}).MarshalLogs(a.logs)
	if err != nil { // cannot happen: the logs were built here
		o.logger.Error("Failed to encode an alert for the storage; it is delivered without being stored", zap.Error(err))
		return
	}
	o.store.StoreAlert(a.number, content)
}

// markDelivered removes the alerts that were delivered or dropped, all except the
// refused ones, from the storage. It waits for the commit, so that a crash after the
// call that raised them does not deliver them again.
func (o *outbox) markDelivered(ctx context.Context, alerts, refused []pendingAlert) {
	if o.store == nil || len(refused) == len(alerts) {
		return
	}
	for _, a := range alerts {
		if !slices.ContainsFunc(refused, func(other pendingAlert) bool { return other.number == a.number }) {
			o.store.DropAlerts(a.number)
		}
	}
	// An error means that ctx ended; the removal is still written later.
	_ = o.store.Commit(ctx)
}

// restore attaches the store and returns the alerts that were undelivered before a
// restart, for the caller to deliver now. last is the highest number of any stored
// alert, including those that restoreLate receives.
func (o *outbox) restore(store *state.Store, stored map[uint64][]byte, last uint64) (ready []pendingAlert) {
	o.store, o.lastNumber = store, last
	ready = o.decode(stored)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.markInFlight(ready)
	return ready
}

// restoreLate queues stored alerts that could not be read at startup.
func (o *outbox) restoreLate(stored map[uint64][]byte) {
	alerts := o.decode(stored)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.enqueue(alerts)
}

// decode returns the stored alerts, sorted by number. It logs and deletes those that
// cannot be read.
func (o *outbox) decode(stored map[uint64][]byte) (alerts []pendingAlert) {
	for _, number := range slices.Sorted(maps.Keys(stored)) {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(stored[number])
		a := pendingAlert{logs: logs, number: number, size: len(stored[number])}
		if err != nil || !a.identify(o.rules) {
			o.logger.Error("Failed to read an undelivered alert from the storage; it is deleted", zap.Uint64("number", number), zap.Error(err))
			o.store.DropAlerts(number)
			continue
		}
		alerts = append(alerts, a)
	}
	return alerts
}

// identify sets the alert id and the rule from the record. It reports false when the
// record is not an alert record.
func (a *pendingAlert) identify(rules []*rule) bool {
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
	// Alerts of a rule that no longer exists are counted under the first rule.
	a.rule = max(0, slices.IndexFunc(rules, func(r *rule) bool { return r.alert.ID == name.AsString() }))
	return len(rules) > 0
}

// postpone leaves prepared alerts to delivery in the background.
func (o *outbox) postpone(alerts []pendingAlert) {
	o.mu.Lock()
	o.clearInFlight(alerts)
	o.enqueue(alerts)
	o.mu.Unlock()
}

// commitAndDeliver stores prepared alerts, then delivers them.
func (o *outbox) commitAndDeliver(ctx context.Context, alerts []pendingAlert) {
	if err := o.store.Commit(ctx); err != nil {
		o.postpone(alerts)
		return
	}
	o.deliver(ctx, alerts)
}
