// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

const (
	// patience is how long a call waits for a slow storage before it continues without it.
	patience = 5 * time.Second

	minRetry = time.Second // between two tries of a storage that fails
	maxRetry = time.Minute

	// runningInterval is how far a crash may set back running time while a rule has timers.
	runningInterval = 10 * time.Second

	// maxBacklog bounds what waits in memory while the storage fails, in bytes.
	maxBacklog = 16 << 20
)

// Settings are what a Store needs.
type Settings struct {
	Client storage.Client
	Rules  []RuleDetector
	Logger *zap.Logger
	// Report is called with an error of the storage, and with nil once it works again. It may
	// be called from any goroutine.
	Report func(error)
	// Late is called by the writer with the alerts that could not be read at the start, once
	// they can be.
	Late func(alerts map[uint64][]byte)
}

// Store keeps the detectors' journals, and the alerts that wait for delivery. A nil *Store
// keeps nothing.
type Store struct {
	Settings
	epoch    uint64
	nextSlot uint64
	journals []*ruleJournal

	// What follows is the writer's alone.
	stored         map[uint64]bool // alerts that the storage holds
	rootWanted     bool            // the root has to be written
	pointerWanted  bool            // and so has the pointer
	written        time.Time       // the running time that the storage knows
	unread         []uint64        // alerts that the storage holds and failed to return
	readAgain      time.Time       // running time at which to ask for them again
	minCompactSize int64           // of a journal, in bytes

	// changes is held shared by callers that change detectors or the outbox, exclusively while
	// the writer takes a snapshot: what belongs together is written as a whole.
	changes sync.RWMutex

	mu      sync.Mutex        // guards what follows
	running time.Time         // the running time that was last set
	alerts  map[uint64][]byte // to be stored; nil: to be deleted
	round   *round            // of the calls that wait for the next Batch
	failing bool              // the latest Batch failed
	late    bool              // a call has lost patience with the storage
	stopped bool

	errorReported bool // and not yet that the storage works

	wake chan struct{} // holds a token while the writer has work
	stop context.CancelFunc
	done chan struct{} // closed when the writer has ended
}

// round is one Batch and the calls that wait for it.
type round struct{ done chan struct{} }

// end wakes the calls. A nil *round has none.
func (r *round) end() {
	if r != nil {
		close(r.done)
	}
}

// takeRound returns the calls that wait. A call that comes later waits for the Batch after
// that.
func (s *Store) takeRound() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.round
	s.round = nil
	return waiting
}

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

// BeginChange begins a change that is written as a whole or not at all, up to EndChange. It
// must not take long: the writer waits for it.
func (s *Store) BeginChange() {
	if s != nil {
		s.changes.RLock()
	}
}

// EndChange ends a change.
func (s *Store) EndChange() {
	if s != nil {
		s.changes.RUnlock()
	}
}

// StoreAlert stores an alert that waits for delivery, with the next Batch. Its content must not
// be changed any more.
func (s *Store) StoreAlert(number uint64, content []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alerts[number] = content
}

// DropAlerts deletes alerts that do not wait any more, with the next Batch.
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

// Commit waits until all that happened before is in the storage: what the detectors counted,
// and the alerts. It does not wait while the storage fails, nor for longer than its patience,
// and returns nil then as well. The error is the context's.
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
	round := s.round
	s.mu.Unlock()
	s.wakeWriter()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-round.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		s.notePatienceLost()
		return nil
	}
}

func (s *Store) wakeWriter() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Store) notePatienceLost() {
	s.mu.Lock()
	first := !s.late && !s.failing
	s.late, s.errorReported = true, true
	s.mu.Unlock()
	if first {
		s.Report(fmt.Errorf("the storage has not answered for %v", patience))
	}
}

// Advance sets the running time, and has what has expired deleted, and what time alone has
// changed written. It is to be called every second or so.
func (s *Store) Advance(now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.running) {
		s.running = now
	}
	if !s.failing { // else the writer tries again at its own pace
		s.wakeWriter()
	}
}

// Close writes what is left and closes the client. It waits for the storage no longer than ctx
// allows.
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
		var err error
		if s.stop != nil { // it ran
			s.stop()
			<-s.done
			s.rootWanted = true // for how long detection has run
			for more := true; more && err == nil; {
				more, err = s.batch(context.WithoutCancel(ctx))
			}
		}
		s.takeRound().end()
		closed <- errors.Join(err, s.Client.Close(context.WithoutCancel(ctx)))
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close the storage: %w", ctx.Err())
	case <-time.After(2 * patience):
		return fmt.Errorf("the storage has not answered for %v", 2*patience)
	}
}
