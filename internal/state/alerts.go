// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// loadAlerts reads the alerts that wait for delivery. Those that the storage fails to return
// stay in it, and are asked for again while the Store runs.
func (l *Loader) loadAlerts(ctx context.Context, loaded *Loaded) error {
	s, numbers := l.store, l.root.alerts
	if len(numbers) == 0 {
		return nil
	}
	loaded.LastAlert = numbers[len(numbers)-1]
	for _, n := range numbers {
		s.stored[n] = true
	}
	ops := s.getAlerts(numbers)
	ok, err := l.read(ctx, ops)
	if err != nil {
		return err
	}
	if !ok {
		s.unread, s.readAgain = numbers, loaded.Running.Add(maxRetry)
		s.Logger.Error("Could not read undelivered alerts from storage; reading is retried, and they are delivered once it succeeds",
			zap.Int("alerts", len(numbers)))
		return nil
	}
	loaded.Alerts = s.unsealAlerts(numbers, ops)
	return nil
}

// readUnread asks again, now and then, for alerts that the storage failed to return. That it
// still fails is no news, and no reason not to write to it.
func (s *Store) readUnread(ctx context.Context) {
	now := s.present()
	if len(s.unread) == 0 || now.Before(s.readAgain) {
		return
	}
	s.readAgain = now.Add(maxRetry)
	ops := s.getAlerts(s.unread)
	if err := doBatch(ctx, s.Client, ops); err != nil {
		return
	}
	alerts := s.unsealAlerts(s.unread, ops)
	s.unread = nil
	s.Late(alerts)
}

func (s *Store) getAlerts(numbers []uint64) (ops []*storage.Operation) {
	for _, n := range numbers {
		ops = append(ops, storage.GetOperation(alertKey(s.epoch, n)))
	}
	return ops
}

// unsealAlerts returns the content of alerts that were read, by number. Those that cannot be
// understood are dropped.
func (s *Store) unsealAlerts(numbers []uint64, ops []*storage.Operation) map[uint64][]byte {
	alerts := map[uint64][]byte{}
	for i, op := range ops {
		content, err := unseal(kindAlert, op.Value)
		if err != nil {
			s.Logger.Error("An undelivered alert in storage is unreadable and dropped", zap.String("key", op.Key), zap.Error(err))
			s.reportError(fmt.Errorf("%w: alert %d: %w", ErrUnreadable, numbers[i], err))
			s.DropAlerts(numbers[i])
			continue
		}
		alerts[numbers[i]] = content
	}
	return alerts
}
