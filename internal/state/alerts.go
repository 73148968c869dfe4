// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// loadAlerts reads the alerts that wait. Those that the storage does not give are
// asked for again while the Store runs, and stay in it until then.
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
		s.unread, s.readAgain = numbers, loaded.Running.Add(lastRetry)
		s.Logger.Error("The storage does not give the alerts that wait to be delivered. It is asked again, and they are delivered then",
			zap.Int("alerts", len(numbers)))
		return nil
	}
	loaded.Alerts = s.unsealAlerts(numbers, ops)
	return nil
}

// readUnread asks again, now and then, for alerts that the storage did not give. That
// it still does not is no news, and no reason not to write to it.
func (s *Store) readUnread(ctx context.Context) {
	now := s.present()
	if len(s.unread) == 0 || now.Before(s.readAgain) {
		return
	}
	s.readAgain = now.Add(lastRetry)
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

// unsealAlerts gives the content of alerts that were read. What cannot be understood
// is given up.
func (s *Store) unsealAlerts(numbers []uint64, ops []*storage.Operation) map[uint64][]byte {
	alerts := map[uint64][]byte{}
	for i, op := range ops {
		content, err := unseal(kindAlert, op.Value)
		if err != nil {
			s.Logger.Error("An alert that waits to be delivered cannot be read", zap.String("key", op.Key), zap.Error(err))
			s.fault(fmt.Errorf("%w: alert %d: %w", ErrUnreadable, numbers[i], err))
			s.DropAlerts(numbers[i])
			continue
		}
		alerts[numbers[i]] = content
	}
	return alerts
}
