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

	"example.com/otelcol-guardrail/internal/detect"
)

// write writes whatever is to be written, until ctx ends.
func (s *Store) write(ctx context.Context) {
	retry := time.NewTimer(0)
	defer retry.Stop()
	interval := minRetry
	wake := s.wake // nil while the storage fails: then it is tried at intervals only
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-retry.C:
		}
		waiting := s.takeRound()
		more, err := s.batch(context.WithoutCancel(ctx)) // Close says how long to wait
		s.noteResult(err)
		waiting.end()
		if err == nil { // no call waits for this
			var compacting bool
			if compacting, err = s.compact(ctx); err != nil {
				s.noteResult(err)
			}
			more = more || compacting
			s.readUnread(ctx)
		}
		if err != nil {
			s.takeRound().end() // of calls that came before it was known to fail
			wake = nil
			retry.Reset(interval)
			interval = min(2*interval, maxRetry)
			continue
		}
		wake, interval = s.wake, minRetry
		if more {
			s.wakeWriter()
		}
	}
}

// noteResult notes whether the storage works, and reports it if that is news.
func (s *Store) noteResult(err error) {
	s.mu.Lock()
	wasReported := s.errorReported
	s.failing, s.late, s.errorReported = err != nil, false, err != nil
	s.mu.Unlock()
	switch {
	case err != nil:
		s.Report(err)
	case wasReported:
		s.Report(nil)
	}
	s.boundBacklog()
}

// reportError reports an error that does not say whether the storage works now.
func (s *Store) reportError(err error) {
	s.mu.Lock()
	s.errorReported = true
	s.mu.Unlock()
	s.Report(err)
}

// boundBacklog bounds what waits in memory. What is dropped is still counted; only a restart
// would not know of it.
func (s *Store) boundBacklog() {
	lost := 0
	for _, j := range s.journals {
		lost += j.dropBacklog(maxBacklog / len(s.journals))
	}
	if lost > 0 {
		s.Logger.Error("Storage has failed for too long; the oldest unwritten state is dropped. "+
			"Detection continues, but a restart would lose what was dropped", zap.Int("journal_pages", lost))
	}
}

// batch writes all that is to be written as one Batch. It reports whether there is more to
// write.
func (s *Store) batch(ctx context.Context) (more bool, err error) {
	running, alerts := s.collect()
	var ops []*storage.Operation
	rootWanted := s.rootWanted || s.timeDue(running)
	for _, j := range s.journals {
		var changed bool
		ops, changed = j.appendOps(s.epoch, running, ops)
		rootWanted = rootWanted || changed
	}
	before := len(ops)
	ops, stored := s.appendAlertOps(ops, alerts)
	rootWanted = rootWanted || len(ops) > before
	if len(ops) == 0 && !rootWanted {
		return false, nil
	}
	if s.pointerWanted {
		ops = append(ops, storage.SetOperation(pointerKey, encodePointer(s.epoch)))
	}
	if rootWanted {
		ops = append(ops, s.setRoot(s.root(running, stored)))
	}
	if err := doBatch(ctx, s.Client, ops); err != nil {
		s.mu.Lock()
		maps.Copy(alerts, s.alerts) // the latter are newer
		maps.DeleteFunc(alerts, func(n uint64, content []byte) bool { return content == nil && !s.stored[n] })
		s.alerts = alerts
		s.mu.Unlock()
		if errors.Is(err, storage.ErrStorageFull) {
			s.deleteOnly(ctx)
		}
		return false, err
	}
	s.stored, s.rootWanted, s.pointerWanted, s.written = stored, false, false, running
	for _, j := range s.journals {
		more = j.noteWritten() || more
	}
	return more, nil
}

// timeDue reports whether the running time is to be written even if nothing else is: timers
// would never expire if every crash set it back.
func (s *Store) timeDue(running time.Time) bool {
	return running.Sub(s.written) >= runningInterval &&
		slices.ContainsFunc(s.journals, func(j *ruleJournal) bool { return j.Detector.HasTimers(running) })
}

// collect returns what has changed since the last time: the alerts by number, the journals in
// their own lists.
func (s *Store) collect() (running time.Time, alerts map[uint64][]byte) {
	s.changes.Lock()
	defer s.changes.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.journals {
		j.advance(s.running)
		if j.startCompaction(s.minCompactSize) {
			j.Detector.Checkpoint(s.running)
		}
		j.drain()
	}
	alerts, s.alerts = s.alerts, map[uint64][]byte{}
	return s.running, alerts
}

// deleteOnly deletes pages that have expired without writing anything else: a storage that is
// full would refuse both together for ever. That it fails is no news.
func (s *Store) deleteOnly(ctx context.Context) {
	waiting := make([][]detect.Page, len(s.journals))
	var ops []*storage.Operation
	for i, j := range s.journals {
		waiting[i], j.unwritten = j.unwritten, nil
		ops, _ = j.appendOps(s.epoch, time.Time{}, ops)
	}
	var err error
	if len(ops) > 0 {
		ops = append(ops, s.setRoot(s.root(s.present(), s.stored)))
		err = doBatch(ctx, s.Client, ops)
	}
	for i, j := range s.journals {
		if err == nil {
			j.noteWritten()
		}
		j.unwritten = waiting[i]
	}
}

// appendAlertOps appends the operations for alerts that changed, and returns the numbers of
// those that the storage holds once these are done.
func (s *Store) appendAlertOps(ops []*storage.Operation, alerts map[uint64][]byte) (_ []*storage.Operation, stored map[uint64]bool) {
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

// root returns the root as it is after the next Batch.
func (s *Store) root(running time.Time, stored map[uint64]bool) *root {
	r := &root{
		running:  running.UnixNano(),
		nextSlot: s.nextSlot,
		alerts:   slices.Sorted(maps.Keys(stored)),
	}
	for _, j := range s.journals {
		first, last := j.extent()
		r.journals = append(r.journals, journalExtent{j.ID, j.Fingerprint, j.slot, first, last, j.compactedBefore})
	}
	return r
}

// storedRoot returns the root for what is in the storage now.
func (s *Store) storedRoot() *root {
	r := s.root(s.present(), s.stored)
	for i, j := range s.journals {
		r.journals[i].first, r.journals[i].last = j.first, j.last
	}
	return r
}

func (s *Store) setRoot(r *root) *storage.Operation {
	return storage.SetOperation(rootKey(s.epoch), r.encode())
}

// present returns the running time that was last set.
func (s *Store) present() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func doBatch(ctx context.Context, client storage.Client, ops []*storage.Operation) error {
	return recoverPanic(func() error { return client.Batch(ctx, ops...) })
}

// recoverPanic turns a panic into an error: a storage whose file is damaged may panic.
func recoverPanic(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the storage panicked: %v", r)
		}
	}()
	return do()
}
