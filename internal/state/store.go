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
	// patience is how long a call waits for a storage that takes its time, before it
	// goes on without it.
	patience = 5 * time.Second

	firstRetry = time.Second
	lastRetry  = time.Minute

	// runningInterval is how much running time a crash may take back while a rule waits
	// for it to pass.
	runningInterval = 10 * time.Second

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
	// Late is given the alerts that could not be read at the start, once they can be. It
	// is called by the writer.
	Late func(alerts map[uint64][]byte)
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
	written       time.Time       // the running time that the storage knows
	unread        []uint64        // alerts that the storage holds and could not give
	readAgain     time.Time       // running time at which to ask for them again
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

// end lets the calls go. A nil *round has none.
func (r *round) end() {
	if r != nil {
		close(r.done)
	}
}

// takeRound takes the calls that wait out of the store: who comes later waits for
// the Batch after that.
func (s *Store) takeRound() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.round
	s.round = nil
	return mine
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
		return fmt.Errorf("the storage does not answer: %w", ctx.Err())
	case <-time.After(2 * patience):
		return fmt.Errorf("the storage has not answered for %v", 2*patience)
	}
}
