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

// write writes whatever is to be written until ctx ends.
func (s *Store) write(ctx context.Context) {
	retry := time.NewTimer(0)
	defer retry.Stop()
	interval := firstRetry
	wake := s.wake // nil while the storage fails: then it is asked at intervals only
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-retry.C:
		}
		mine := s.takeRound()
		more, err := s.batch(context.WithoutCancel(ctx)) // Close says how long to wait
		s.answered(err)
		mine.end()
		if err == nil { // no call waits for this
			var cleaning bool
			if cleaning, err = s.clean(ctx); err != nil {
				s.answered(err)
			}
			more = more || cleaning
			s.readUnread(ctx)
		}
		if err != nil {
			s.takeRound().end() // of calls that came before it was known to fail
			wake = nil
			retry.Reset(interval)
			interval = min(2*interval, lastRetry)
			continue
		}
		wake, interval = s.wake, firstRetry
		if more {
			s.poke()
		}
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
	case was:
		s.Report(nil)
	}
	s.cutBacklog()
}

// fault reports an error that is no sign of how the storage is now.
func (s *Store) fault(err error) {
	s.mu.Lock()
	s.unwell = true
	s.mu.Unlock()
	s.Report(err)
}

// cutBacklog bounds what waits in memory. What is dropped is still counted; only a
// restart would not know of it.
func (s *Store) cutBacklog() {
	lost := 0
	for _, j := range s.journals {
		lost += j.giveUp(maxBacklog / len(s.journals))
	}
	if lost > 0 {
		s.Logger.Error("The storage has failed for too long: the oldest of what waits to be written is dropped. "+
			"Detection goes on, but a restart would not know of it", zap.Int("journal_pages", lost))
	}
}

// batch writes all that is to be written as one Batch. It reports whether there is
// more to do.
func (s *Store) batch(ctx context.Context) (more bool, err error) {
	running, alerts := s.take()
	var ops []*storage.Operation
	rootWanted := s.rootWanted || s.timeWanted(running)
	for _, j := range s.journals {
		var changed bool
		ops, changed = j.write(s.epoch, running, ops)
		rootWanted = rootWanted || changed
	}
	before := len(ops)
	ops, stored := s.writeAlerts(ops, alerts)
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
		maps.Copy(alerts, s.alerts) // those are newer
		maps.DeleteFunc(alerts, func(n uint64, content []byte) bool { return content == nil && !s.stored[n] })
		s.alerts = alerts
		s.mu.Unlock()
		if errors.Is(err, storage.ErrStorageFull) {
			s.makeRoom(ctx)
		}
		return false, err
	}
	s.stored, s.rootWanted, s.pointerWanted, s.written = stored, false, false, running
	for _, j := range s.journals {
		more = j.written() || more
	}
	return more, nil
}

// timeWanted reports whether the running time is to be written though nothing else may
// be: what waits for it to pass would wait for ever if crashes always took it back.
func (s *Store) timeWanted(running time.Time) bool {
	return running.Sub(s.written) >= runningInterval &&
		slices.ContainsFunc(s.journals, func(j *journal) bool { return j.Detector.HasTimers(running) })
}

// take collects what has changed.
func (s *Store) take() (running time.Time, alerts map[uint64][]byte) {
	s.changes.Lock()
	defer s.changes.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.journals {
		j.turn(s.running)
		if j.beginCleaning(s.cleanLeast) {
			j.Detector.Checkpoint(s.running)
		}
		j.take()
	}
	alerts, s.alerts = s.alerts, map[uint64][]byte{}
	return s.running, alerts
}

// makeRoom deletes what is over without writing anything else: a storage that is
// full would refuse both together for ever. That it fails is no news.
func (s *Store) makeRoom(ctx context.Context) {
	waiting := make([][]detect.Page, len(s.journals))
	var ops []*storage.Operation
	for i, j := range s.journals {
		waiting[i], j.unwritten = j.unwritten, nil
		ops, _ = j.write(s.epoch, time.Time{}, ops)
	}
	var err error
	if len(ops) > 0 {
		ops = append(ops, s.setRoot(s.root(s.present(), s.stored)))
		err = doBatch(ctx, s.Client, ops)
	}
	for i, j := range s.journals {
		if err == nil {
			j.written()
		}
		j.unwritten = waiting[i]
	}
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

// root is what the root says after the next Batch.
func (s *Store) root(running time.Time, stored map[uint64]bool) *root {
	r := &root{
		running:  running.UnixNano(),
		nextSlot: s.nextSlot,
		alerts:   slices.Sorted(maps.Keys(stored)),
	}
	for _, j := range s.journals {
		first, last := j.extent()
		r.journals = append(r.journals, rootJournal{j.ID, j.Fingerprint, j.slot, first, last, j.cleaned})
	}
	return r
}

// lastRoot is what the root says while nothing else is being written.
func (s *Store) lastRoot() *root {
	r := s.root(s.present(), s.stored)
	for i, j := range s.journals {
		r.journals[i].first, r.journals[i].last = j.first, j.last
	}
	return r
}

func (s *Store) setRoot(r *root) *storage.Operation {
	return storage.SetOperation(rootKey(s.epoch), r.encode())
}

// present gives the latest present that was told, in running time.
func (s *Store) present() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
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
