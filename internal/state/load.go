// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/detect"
)

// Loaded is what there was before a restart, besides what the detectors know again.
type Loaded struct {
	Running time.Time         // from here on running time goes on
	Untold  [][]detect.Alert  // by rule: due, but missing in the state
	Alerts  map[uint64][]byte // that wait, by number
	// LastAlert is the highest number of an alert that waits, also of those that cannot
	// be read.
	LastAlert uint64
}

// ErrUnreadable is what Report is told of state that cannot be read, and is left out or
// set aside. The log has been told.
var ErrUnreadable = errors.New("state cannot be read")

// Open looks at what is in the storage. An error is one of reading it: then nothing
// is known and nothing may be written. What cannot be understood is left where it is,
// with a word in the log, and detection starts without.
func Open(ctx context.Context, settings Settings) (*Loader, error) {
	s := &Store{
		Settings: settings,
		epoch:    1,
		alerts:   map[uint64][]byte{},
		stored:   map[uint64]bool{},
		running:  time.Unix(0, 0),

		cleanLeast: cleanLeast,
	}
	l := &Loader{store: s, root: &root{}}
	pointer, err := get(ctx, s.Client, pointerKey)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if pointer == nil {
		l.fresh = true
	} else if err := l.openEpoch(ctx, pointer); err != nil {
		return nil, err
	}
	if l.fresh {
		// Also when the rest cannot be written later: the next start knows where to look.
		ops := []*storage.Operation{
			storage.SetOperation(pointerKey, encodePointer(s.epoch)),
			s.setRoot(l.root),
		}
		if err := doBatch(ctx, s.Client, ops); err != nil {
			s.pointerWanted = true
			l.fault(err)
		}
	}
	return l, nil
}

// Loader reads what there was before a restart.
type Loader struct {
	store *Store
	root  *root
	fresh bool // an epoch is begun: there is none, or it cannot be read
	tired bool // the storage was asked often enough, and has given nothing since
}

// openEpoch reads the root that a pointer leads to.
func (l *Loader) openEpoch(ctx context.Context, pointer []byte) error {
	s := l.store
	epoch, err := decodePointer(pointer)
	if err != nil && !errors.Is(err, errNewer) {
		s.epoch = rand.Uint64N(1<<40) + 1<<40 // one that was surely never used
		l.setAside("pointer", err)
		return nil
	}
	s.epoch = epoch
	if err != nil {
		l.setAside("pointer", err)
		l.sweep(ctx, epoch)
		return nil
	}
	value, err := get(ctx, s.Client, rootKey(epoch))
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	root, err := decodeRoot(value)
	if err != nil {
		l.setAside("root", err)
		l.sweep(ctx, epoch)
		return nil
	}
	l.root = root
	return nil
}

// setAside leaves an epoch as it is and begins the next.
func (l *Loader) setAside(what string, why error) {
	l.store.epoch++
	l.fresh = true
	l.store.Logger.Error("The state in the storage cannot be read and is set aside: detection starts without it, "+
		"and a burst that began before the restart may go unnoticed",
		zap.String("unreadable", what), zap.Error(why), zap.Uint64("new_epoch", l.store.epoch))
	l.fault(fmt.Errorf("%w: %s: %w", ErrUnreadable, what, why))
}

// Load puts the detectors where they stood. From here on they are kept, by the Store
// that it returns, once that runs. Only the context's end is an error.
func (l *Loader) Load(ctx context.Context) (*Store, *Loaded, error) {
	s := l.store
	loaded := &Loaded{Running: time.Unix(0, l.root.running), Alerts: map[uint64][]byte{}}
	progress := newProgress(s.Logger, l.root)
	replays := make([]*detect.Replay, len(s.Rules))
	s.nextSlot = max(1, l.root.nextSlot)
	for i, rule := range s.Rules {
		j := &journal{Rule: rule, first: 1}
		j.source, replays[i] = rule.Detector.EnableJournal()
		s.journals = append(s.journals, j)
		if old := l.find(rule.ID); old != nil && old.fingerprint == rule.Fingerprint {
			j.slot, j.first, j.last, j.cleaned = old.slot, old.first, old.last, old.cleaned
			if err := l.replay(ctx, j, replays[i], loaded, progress); err != nil {
				return nil, nil, err
			}
			continue
		} else if old != nil {
			s.Logger.Warn("The rule counts otherwise than before (count, exempt, group_by, window or threshold has changed): "+
				"it starts empty, and what it counted until now is forgotten", zap.String("rule", rule.ID))
		}
		j.slot = s.nextSlot
		s.nextSlot++
	}
	s.running, s.written = loaded.Running, loaded.Running
	for i, j := range s.journals {
		loaded.Untold = append(loaded.Untold, replays[i].End(loaded.Running, j.last+1))
		j.turned = j.source.Generation(loaded.Running.UnixNano())
		j.expired = j.first
		if len(j.begins) == 0 && j.first <= j.last { // none of its pages can be read
			j.note(detect.Page{Number: j.first, Arrived: loaded.Running.UnixNano()}, 0)
		}
	}
	if err := l.loadAlerts(ctx, loaded); err != nil {
		return nil, nil, err
	}
	if err := l.deleteOld(ctx); err != nil {
		return nil, nil, err
	}
	progress.end()
	s.rootWanted = true
	return s, loaded, nil
}

// find gives what the root says of a rule.
func (l *Loader) find(id string) *rootJournal {
	i := slices.IndexFunc(l.root.journals, func(j rootJournal) bool { return j.rule == id })
	if i < 0 {
		return nil
	}
	return &l.root.journals[i]
}

// pagesAtOnce is how many pages are read with one Batch.
const pagesAtOnce = 256

// replay tells a detector what is in its journal.
func (l *Loader) replay(ctx context.Context, j *journal, replay *detect.Replay, loaded *Loaded, progress *progress) error {
	s := l.store
	missing := 0
	for n := j.first; n <= j.last; {
		to := min(j.last, n+pagesAtOnce-1)
		var ops []*storage.Operation
		for ; n <= to; n++ {
			ops = append(ops, storage.GetOperation(pageKey(s.epoch, j.slot, n)))
		}
		if _, err := l.read(ctx, ops); err != nil {
			return err
		}
		for i, op := range ops {
			number := to + 1 - uint64(len(ops)) + uint64(i)
			if op.Value == nil {
				if number >= j.cleaned {
					missing++
				}
				continue
			}
			page, written, err := decodePage(number, op.Value)
			if err == nil {
				j.note(page, int64(len(page.Body)))
				loaded.Running = later(later(loaded.Running, written), time.Unix(0, page.Arrived))
				err = replay.Page(page)
			}
			if err != nil {
				s.Logger.Error("A part of the state cannot be read and is left out",
					zap.String("rule", j.ID), zap.String("key", op.Key), zap.Error(err))
				l.fault(fmt.Errorf("%w: page %d of rule %s: %w", ErrUnreadable, number, j.ID, err))
			}
		}
		progress.add(len(ops), replay.Events())
	}
	if missing > 0 {
		s.Logger.Error("A part of the state is missing and left out", zap.String("rule", j.ID), zap.Int("pages", missing))
		l.fault(fmt.Errorf("%w: %d pages of rule %s are missing", ErrUnreadable, missing, j.ID))
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// fault reports an error. That the storage works all the same is reported later.
func (l *Loader) fault(err error) { l.store.fault(err) }

// readTries is how often a storage that fails to read is asked, over a quarter of a minute.
const readTries = 6

// read does a Batch of Gets, more than once if it must. It reports false when the
// storage still fails. After that a read is tried once, up to one that succeeds.
func (l *Loader) read(ctx context.Context, ops []*storage.Operation) (ok bool, err error) {
	pause := firstRetry / 2
	for try := 1; ; try++ {
		err := doBatch(ctx, l.store.Client, ops)
		if err == nil {
			l.tired = false
			return true, nil
		}
		l.fault(err)
		if l.tired = l.tired || try == readTries; l.tired {
			return false, nil
		}
		timer := time.NewTimer(pause)
		pause *= 2
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, ctx.Err()
		case <-timer.C:
		}
	}
}

// deleteOld deletes the pages of journals that no rule goes on with. The root still
// knows them, so that what a crash leaves of it is done by the next start.
func (l *Loader) deleteOld(ctx context.Context) error {
	s := l.store
	for _, old := range l.root.journals {
		if slices.ContainsFunc(s.journals, func(j *journal) bool { return j.slot == old.slot }) {
			continue
		}
		for n := old.first; n <= old.last; {
			var ops []*storage.Operation
			for ; n <= old.last && len(ops) < mostDeletes; n++ {
				ops = append(ops, storage.DeleteOperation(pageKey(s.epoch, old.slot, n)))
			}
			if err := doBatch(ctx, s.Client, ops); err != nil {
				l.fault(err) // they stay, and only take up room
				break
			}
		}
	}
	return ctx.Err()
}

func get(ctx context.Context, client storage.Client, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := doBatch(ctx, client, []*storage.Operation{op})
	return op.Value, err
}
