// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/detect"
)

const (
	// patience is how long a call waits for a storage that takes its time, before it
	// goes on without it.
	patience = 5 * time.Second

	firstRetry = time.Second
	lastRetry  = time.Minute

	// maxBacklog bounds what waits in memory for a storage that fails, in bytes.
	maxBacklog = 16 << 20
)

// Settings are what a Store needs.
type Settings struct {
	Client storage.Client
	Rules  []Rule
	Logger *zap.Logger
	// Report is told of an error of the storage, and with nil that it works again. It
	// may be called from any goroutine.
	Report func(error)
}

// Store keeps the detectors' journals and the alerts that wait. A nil *Store keeps
// nothing.
type Store struct {
	Settings
	epoch    uint64
	nextSlot uint64
	journals []*journal

	// What follows is the writer's alone.
	stored        map[uint64]bool // alerts that the storage holds
	rootWanted    bool            // the root has to be written
	pointerWanted bool            // and what leads to it
	cleanLeast    int64           // the size of a journal from which on it is cleaned, in bytes

	// changes is held for reading while something changes that must be written as a
	// whole: what was counted, how alerts stand for it, and what is to be told of them.
	changes sync.RWMutex

	mu      sync.Mutex        // guards what follows
	running time.Time         // the latest present that was told, in running time
	alerts  map[uint64][]byte // to be stored; nil: to be deleted
	round   *round            // of the calls that wait for the next Batch
	failing bool              // the storage's last answer was an error
	late    bool              // the storage has not answered for its patience
	unwell  bool              // an error was reported, and nothing since
	stopped bool

	wake chan struct{} // holds a token while a call waits
	stop context.CancelFunc
	done chan struct{} // closed when the writer has ended
}

// round is one Batch and the calls that wait for it.
type round struct{ done chan struct{} }

// Run starts the writer.
func (s *Store) Run() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wake = make(chan struct{}, 1)
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		s.write(ctx)
	}()
}

// BeginChange begins what is written as a whole or not at all, up to EndChange. It
// must not last: the writer waits for it.
func (s *Store) BeginChange() {
	if s != nil {
		s.changes.RLock()
	}
}

// EndChange ends what BeginChange has begun.
func (s *Store) EndChange() {
	if s != nil {
		s.changes.RUnlock()
	}
}

// StoreAlert has an alert that waits stored, with the next Batch. Nothing of it may
// be changed any more.
func (s *Store) StoreAlert(number uint64, content []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alerts[number] = content
}

// DropAlerts has alerts deleted that wait no more.
func (s *Store) DropAlerts(numbers ...uint64) {
	if s == nil || len(numbers) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		s.alerts[n] = nil
	}
}

// Commit waits until all that happened before is in the storage: what the detectors
// counted, and the alerts. It does not wait for a storage that fails, nor for longer
// than its patience, and returns nil then as well; the error is the context's.
func (s *Store) Commit(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	if s.failing || s.late || s.stopped {
		s.mu.Unlock()
		return nil
	}
	if s.round == nil {
		s.round = &round{done: make(chan struct{})}
	}
	mine := s.round
	s.mu.Unlock()
	s.poke()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-mine.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		s.tooLate()
		return nil
	}
}

func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Store) tooLate() {
	s.mu.Lock()
	first := !s.late && !s.failing
	s.late, s.unwell = true, true
	s.mu.Unlock()
	if first {
		s.Report(fmt.Errorf("the storage has not answered for %v", patience))
	}
}

// Turn tells the time, which is running time, and has what is over forgotten, and
// what time alone brought about written. To be called every second or so.
func (s *Store) Turn(now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.running) {
		s.running = now
	}
	if !s.failing { // else the writer tries again at its own pace
		s.poke()
	}
}

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
		s.mu.Lock()
		mine := s.round
		s.round = nil
		s.mu.Unlock()

		more, err := s.batch(context.WithoutCancel(ctx)) // Close says how long to wait
		s.answered(err)
		if mine != nil {
			close(mine.done)
		}
		if err == nil { // no call waits for this
			var cleaning bool
			if cleaning, err = s.clean(ctx); err != nil {
				s.answered(err)
			}
			more = more || cleaning
		}
		switch {
		case err != nil:
			s.endRound() // of calls that came before it was known to fail
			wake = nil
			retry.Reset(interval)
			interval = min(2*interval, lastRetry)
		case more:
			wake, interval = s.wake, firstRetry
			s.poke()
		default:
			wake, interval = s.wake, firstRetry
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
	rootWanted := s.rootWanted
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
		ops = append(ops, storage.SetOperation(rootKey(s.epoch), s.root(running, stored).encode()))
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
	s.stored, s.rootWanted, s.pointerWanted = stored, false, false
	for _, j := range s.journals {
		more = j.written() || more
	}
	return more, nil
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
		s.mu.Lock()
		running := s.running
		s.mu.Unlock()
		ops = append(ops, storage.SetOperation(rootKey(s.epoch), s.root(running, s.stored).encode()))
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
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	r := s.root(running, s.stored)
	for i, j := range s.journals {
		r.journals[i].first, r.journals[i].last = j.first, j.last
	}
	return r
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

// endRound lets go the calls that wait for a Batch that will not be.
func (s *Store) endRound() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.round != nil {
		close(s.round.done)
		s.round = nil
	}
}

// Close writes what is left and gives the storage back. It waits for the storage no
// longer than ctx allows.
func (s *Store) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	again := s.stopped
	s.stopped = true
	s.mu.Unlock()
	if again {
		return nil
	}
	closed := make(chan error, 1)
	go func() {
		if s.stop != nil {
			s.stop()
			<-s.done
		}
		s.rootWanted = s.rootWanted || s.stop != nil // for how long detection has run
		var err error
		if s.stop != nil {
			for more := true; more && err == nil; {
				more, err = s.batch(context.WithoutCancel(ctx))
			}
		}
		s.endRound()
		closed <- errors.Join(err, s.Client.Close(context.WithoutCancel(ctx)))
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the storage does not answer: %w", ctx.Err())
	case <-time.After(2 * patience):
		return fmt.Errorf("the storage has not answered for %v", 2*patience)
	}
}
