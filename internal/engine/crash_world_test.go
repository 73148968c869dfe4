// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// world is the environment of a processor that is killed and restarted: the disk, which
// outlives it, the next component, and a sender that sends unacknowledged records
// again.
//
// Every call of the storage and of the next component has two moments at which the
// processor may be killed: 2n is before the n-th call has done anything, 2n+1 when it
// has done everything and nobody knows.
type world struct {
	t        *testing.T
	scenario crashScenario
	crashes  []int // moments at which to kill

	mu           sync.Mutex // guards the fields below, and makes each call one step
	disk         *storagetest.Disk
	calls        int
	killed       int
	forwarded    map[string]bool // records that the next component took
	acknowledged map[string]bool // records that the sender need not send again
	acks         int             // calls that were acknowledged
	delivered    []deliveredRecord

	life *life // only the sender's
}

// deliveredRecord is an alert record that the next component accepted.
type deliveredRecord struct {
	plog.LogRecord
	life  int
	batch int // counted from 1 in each life
	begun int // calls that were acknowledged when this life began
	acks  int // calls that were acknowledged when the record was delivered
}

// life is a processor between its start and its being killed.
type life struct {
	*rig
	world   *world
	number  int
	begun   int           // calls that were acknowledged before
	died    chan struct{} // closed when it is killed
	dead    bool          // guarded by world.mu
	sent    int           // calls of the next component, guarded by world.mu
	batches int           // of alerts that it took, guarded by world.mu
}

var errKilled = errors.New("killed")

// do does a call, unless the processor is killed before. The error says that it was
// killed: whatever it does from then on has no effect.
func (l *life) do(call func() error) error {
	w := l.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return errKilled
	}
	w.calls++
	if l.dies(2 * w.calls) {
		return errKilled
	}
	err := call()
	if l.dies(2*w.calls + 1) {
		return errKilled
	}
	return err
}

func (l *life) dies(moment int) bool {
	if !slices.Contains(l.world.crashes, moment) {
		return false
	}
	l.dead = true
	l.world.killed++
	close(l.died)
	return true
}

// mortalStorage is the world's disk as long as a life has it.
type mortalStorage struct {
	*storagetest.Disk
	life *life
}

type mortalClient struct {
	storage.Client
	life *life
}

// Batch is all that the state needs of a storage.
func (c mortalClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return c.life.do(func() error { return c.Client.Batch(ctx, ops...) })
}

func (s mortalStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Disk.GetClient(ctx, kind, id, name)
	return mortalClient{client, s.life}, err
}

func (s mortalStorage) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): s}
}

// take is the next component.
func (l *life) take(logs plog.Logs) error {
	return l.do(func() error {
		w := l.world
		l.sent++
		// What waited for a restart is taken at once.
		if n := w.scenario.refuses; n > 0 && l.sent%n == 0 {
			return errDown
		}
		for _, record := range records(logs) {
			if !isAlerts(logs) {
				w.forwarded[attr(record, crashKey)] = true
				continue
			}
			kept := plog.NewLogRecord()
			record.CopyTo(kept)
			w.delivered = append(w.delivered, deliveredRecord{kept, l.number, l.batches + 1, l.begun, w.acks})
		}
		if isAlerts(logs) {
			l.batches++
		}
		return nil
	})
}

// start starts processors until one lives.
func (w *world) start() {
	for number := 0; ; number++ {
		if w.life != nil {
			number = w.life.number + 1
		}
		l := &life{rig: newRig(w.t, w.scenario.settings()), world: w, number: number, begun: w.acks, died: make(chan struct{})}
		l.rig.dead = true // its shutdown finds a dead storage
		l.next.refusing(func(_ context.Context, logs plog.Logs) error { return l.take(logs) })
		w.disk = w.disk.Crash()
		w.life = l
		err := l.Start(w.t.Context(), mortalStorage{w.disk, l})
		select {
		case <-l.died:
		default:
			require.NoError(w.t, err)
			return
		}
	}
}

// rest lets time pass.
func (w *world) rest(pause time.Duration) {
	for end := time.Now().Add(pause); time.Now().Before(end); {
		select {
		case <-time.After(time.Until(end)):
		case <-w.life.died:
			w.start()
		}
	}
}

// send delivers a batch until it is acknowledged.
func (w *world) send(d delivery) {
	for {
		l, result := w.life, make(chan error, 1)
		go func() { result <- l.ConsumeLogs(w.t.Context(), d.logs()) }()
		var err error
		select {
		case err = <-result:
		case <-l.died:
		}
		w.mu.Lock()
		acknowledged := err == nil && !l.dead
		for _, c := range d.calls {
			w.acknowledged[c.key()] = w.acknowledged[c.key()] || acknowledged
		}
		if acknowledged {
			w.acks++
		}
		dead := l.dead
		w.mu.Unlock()
		switch {
		case dead:
			w.start()
		case acknowledged:
			return
		default:
			w.rest(time.Second)
		}
	}
}

// play plays a scenario to its end, and calms down.
func (s *crashScenario) play(t *testing.T, crashes ...int) *world {
	w := &world{
		t: t, scenario: *s, crashes: crashes, disk: storagetest.NewDisk(),
		forwarded: map[string]bool{}, acknowledged: map[string]bool{},
	}
	w.start()
	for _, d := range s.deliveries {
		w.rest(d.pause)
		w.send(d)
	}
	for last := -1; last != w.life.number; { // a life without a crash long enough for every alert to be closed
		last = w.life.number
		w.rest(s.keepAlive + s.rule.Size + time.Minute)
	}
	w.mu.Lock() // the last one is killed as well: nothing changes any more
	defer w.mu.Unlock()
	w.life.dead = true
	return w
}
