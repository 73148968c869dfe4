// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// write writes whatever is to be written until ctx ends.
func (s *Store) write(ctx context.Context) {
	retry := time.NewTimer(0)
	defer retry.Stop()
	interval := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-retry.C:
		}
		mine := s.takeRound()
		more, err := s.batch()
		s.answered(err)
		s.endRound(mine)
		if err == nil { // no call waits for this
			var cleaning bool
			if cleaning, err = s.clean(); err != nil {
				s.answered(err)
			}
			more = more || cleaning
		}
		switch {
		case err != nil:
			retry.Reset(interval)
			interval = min(2*interval, lastRetry)
		case more:
			interval = firstRetry
			s.poke()
		default:
			interval = firstRetry
		}
	}
}

// takeRound takes the calls that wait out of the store: who comes later waits for
// the next Batch.
func (s *Store) takeRound() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.round
	s.round = nil
	return mine
}

func (s *Store) endRound(r *round) {
	if r != nil {
		close(r.done)
	}
}

// answered notes how the storage is.
func (s *Store) answered(err error) {
	s.mu.Lock()
	was := s.unwell
	s.failing, s.late, s.unwell = err != nil, false, err != nil
	s.mu.Unlock()
	switch {
	case err != nil:
		s.Report(err)
		s.cutBacklog()
	case was:
		s.Report(nil)
	}
}

// cutBacklog bounds what waits in memory.
func (s *Store) cutBacklog() {
	pages := 0
	for _, j := range s.journals {
		pages += j.giveUp(maxBacklog / len(s.journals))
	}
	s.tellDropped(pages)
}

func (s *Store) tellDropped(pages int) {
	if pages > 0 {
		s.Logger.Error("The storage has failed for too long: the oldest of what waits to be written is dropped. "+
			"Detection goes on, but a restart would not know of it", zap.Int("journal_pages", pages))
	}
}

// batch brings the storage up to date, and does not break off a Batch that was
// begun. It reports whether there is more to do.
func (s *Store) batch() (more bool, err error) {
	err = s.add()
	if err != nil && !errors.Is(err, storage.ErrStorageFull) {
		return false, err
	}
	more, failed := s.expire()
	return more, errors.Join(err, failed)
}

// add writes all that is to be written as one Batch.
func (s *Store) add() error {
	ops, alerts, stored := s.collect()
	if len(ops) == 0 {
		return nil
	}
	if err := doBatch(context.Background(), s.Client, ops); err != nil {
		s.mu.Lock()
		maps.Copy(alerts, s.alerts) // those are newer
		maps.DeleteFunc(alerts, func(n uint64, content []byte) bool { return content == nil && !s.stored[n] })
		s.alerts = alerts
		s.mu.Unlock()
		return err
	}
	s.stored, s.rootWanted, s.pointerWanted = stored, false, false
	for _, j := range s.journals {
		j.written()
	}
	return nil
}

// collect lists what is to be written. It returns with it the alerts that this is
// about, and which ones the storage holds after it.
func (s *Store) collect() (ops []*storage.Operation, alerts map[uint64][]byte, stored map[uint64]bool) {
	s.whole.Lock()
	s.mu.Lock()
	running := s.running
	alerts = s.alerts
	s.alerts = map[uint64][]byte{}
	s.mu.Unlock()
	dropped := 0
	for _, j := range s.journals {
		j.turn(running)
		if j.beginCleaning(s.cleanLeast) {
			j.Detector.Checkpoint(running)
		}
		dropped += j.take()
	}
	s.whole.Unlock()
	s.tellDropped(dropped)

	rootWanted := s.rootWanted
	for _, j := range s.journals {
		var changed bool
		ops, changed = j.write(s.epoch, running, ops)
		rootWanted = rootWanted || changed
	}
	ops, stored = s.writeAlerts(ops, alerts)
	if rootWanted || !maps.Equal(stored, s.stored) {
		ops = append(ops, s.setRoot(running, stored))
	}
	if s.pointerWanted {
		ops = append(ops, storage.SetOperation(pointerKey, encodePointer(s.epoch)))
	}
	return ops, alerts, stored
}

// expire deletes pages whose time is over, some with each call, and reports whether
// there are more. It comes after what must outlive them is written, and apart from
// that: a storage that is full can still delete.
func (s *Store) expire() (more bool, err error) {
	var ops []*storage.Operation
	for _, j := range s.journals {
		ops = j.expire(s.epoch, ops)
	}
	if len(ops) == 0 {
		return false, nil
	}
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	ops = append(ops, s.setRoot(running, s.stored))
	if err := doBatch(context.Background(), s.Client, ops); err != nil {
		return false, err
	}
	for _, j := range s.journals {
		more = j.deleted() || more
	}
	return more, nil
}

// writeAlerts lists what is to be done for the alerts that wait, and which ones the
// storage holds after that.
func (s *Store) writeAlerts(ops []*storage.Operation, alerts map[uint64][]byte) (_ []*storage.Operation, stored map[uint64]bool) {
	if len(alerts) == 0 {
		return ops, s.stored
	}
	stored = maps.Clone(s.stored)
	for _, n := range slices.Sorted(maps.Keys(alerts)) {
		switch content := alerts[n]; {
		case content != nil:
			ops = append(ops, storage.SetOperation(alertKey(s.epoch, n), seal(kindAlert, content)))
			stored[n] = true
		case stored[n]:
			ops = append(ops, storage.DeleteOperation(alertKey(s.epoch, n)))
			delete(stored, n)
		}
	}
	return ops, stored
}

// setRoot writes what there is after the next Batch.
func (s *Store) setRoot(running time.Time, stored map[uint64]bool) *storage.Operation {
	r := &root{
		running:  running.UnixNano(),
		nextSlot: s.nextSlot,
		alerts:   slices.Sorted(maps.Keys(stored)),
	}
	for _, j := range s.journals {
		r.journals = append(r.journals, rootJournal{j.ID, j.Fingerprint, j.slot, j.next})
	}
	return storage.SetOperation(rootKey(s.epoch), r.encode())
}

func doBatch(ctx context.Context, client storage.Client, ops []*storage.Operation) error {
	return calm(func() error { return client.Batch(ctx, ops...) })
}

// calm makes an error of a panic: a storage whose file is damaged may panic.
func calm(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the storage panicked: %v", r)
		}
	}()
	return do()
}
