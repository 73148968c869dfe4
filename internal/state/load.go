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

// Loaded is what there was before a restart, in addition to what the detectors know again.
type Loaded struct {
	Running    time.Time         // from which running time continues
	Unreported [][]detect.Alert  // by rule: due, but missing in the state
	Alerts     map[uint64][]byte // that wait for delivery, by number
	LastAlert  uint64            // the highest number of an alert that waits, readable or not
}

// ErrUnreadable is reported for state that cannot be read, and is skipped or set aside. It has
// been logged.
var ErrUnreadable = errors.New("state cannot be read")

// Open finds out what is in the storage. An error means that it could not be read: then nothing
// is known and nothing may be written. What cannot be understood is logged and left where it
// is, and detection starts without it.
func Open(ctx context.Context, settings Settings) (*Loader, error) {
	s := &Store{
		Settings: settings,
		epoch:    1,
		alerts:   map[uint64][]byte{},
		stored:   map[uint64]bool{},
		running:  time.Unix(0, 0),

		minCompactSize: minCompactSize,
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
		// Even if the rest cannot be written later: the next start then knows where to look.
		ops := []*storage.Operation{
			storage.SetOperation(pointerKey, encodePointer(s.epoch)),
			s.setRoot(l.root),
		}
		if err := doBatch(ctx, s.Client, ops); err != nil {
			s.pointerWanted = true
			s.reportError(err)
		}
	}
	return l, nil
}

// Loader reads what there was before a restart.
type Loader struct {
	store *Store
	root  *root
	fresh bool // a new epoch begins: there is none, or it cannot be read
	// retried is set once all tries of a read have failed, until one succeeds: meanwhile a read
	// is tried once.
	retried bool
}

// openEpoch reads the root of the epoch that a pointer names.
func (l *Loader) openEpoch(ctx context.Context, pointer []byte) error {
	s := l.store
	epoch, err := decodePointer(pointer)
	if err != nil && !errors.Is(err, errNewer) {
		s.epoch = rand.Uint64N(1<<40) + 1<<40 // one that was certainly never used
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

// setAside leaves an epoch as it is, and begins the next one.
func (l *Loader) setAside(what string, why error) {
	l.store.epoch++
	l.fresh = true
	l.store.Logger.Error("State in storage is unreadable and is set aside; detection starts empty, "+
		"so a burst that began before the restart may go unnoticed",
		zap.String("unreadable", what), zap.Error(why), zap.Uint64("new_epoch", l.store.epoch))
	l.store.reportError(fmt.Errorf("%w: %s: %w", ErrUnreadable, what, why))
}

// Load restores the detectors. From then on the Store that it returns keeps them, once it runs.
// The only error is the context's.
func (l *Loader) Load(ctx context.Context) (*Store, *Loaded, error) {
	s := l.store
	loaded := &Loaded{Running: time.Unix(0, l.root.running), Alerts: map[uint64][]byte{}}
	progress := newProgress(s.Logger, l.root)
	replays := make([]*detect.Replay, len(s.Rules))
	s.nextSlot = max(1, l.root.nextSlot)
	for i, rule := range s.Rules {
		j := &ruleJournal{RuleDetector: rule, first: 1}
		j.source, replays[i] = rule.Detector.EnableJournal()
		s.journals = append(s.journals, j)
		if old := l.find(rule.ID); old != nil && old.fingerprint == rule.Fingerprint {
			j.slot, j.first, j.last, j.compactedBefore = old.slot, old.first, old.last, old.compactedBefore
			if err := l.replay(ctx, j, replays[i], loaded, progress); err != nil {
				return nil, nil, err
			}
			continue
		} else if old != nil {
			s.Logger.Warn("The rule's count, exempt, group_by, window, threshold or after_intervention has changed; "+
				"it starts empty and forgets what it has counted", zap.String("rule", rule.ID))
		}
		j.slot = s.nextSlot
		s.nextSlot++
	}
	s.running, s.written = loaded.Running, loaded.Running
	for i, j := range s.journals {
		loaded.Unreported = append(loaded.Unreported, replays[i].End(loaded.Running, j.last+1))
		j.generation = j.source.Generation(loaded.Running.UnixNano())
		j.deleteBefore = j.first
		if len(j.generations) == 0 && j.first <= j.last { // none of its pages can be read
			j.noteSize(detect.Page{Number: j.first, Arrived: loaded.Running.UnixNano()}, 0)
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

// find returns what the root says of a rule, nil if nothing.
func (l *Loader) find(id string) *journalExtent {
	i := slices.IndexFunc(l.root.journals, func(j journalExtent) bool { return j.rule == id })
	if i < 0 {
		return nil
	}
	return &l.root.journals[i]
}

// pagesAtOnce is how many pages are read with one Batch.
const pagesAtOnce = 256

// replay puts the pages of a journal into a detector.
func (l *Loader) replay(ctx context.Context, j *ruleJournal, replay *detect.Replay, loaded *Loaded, progress *progress) error {
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
				if number >= j.compactedBefore {
					missing++
				}
				continue
			}
			page, written, err := decodePage(number, op.Value)
			if err == nil {
				j.noteSize(page, int64(len(page.Body)))
				loaded.Running = later(later(loaded.Running, written), time.Unix(0, page.Arrived))
				err = replay.Page(page)
			}
			if err != nil {
				s.Logger.Error("Part of the state in storage is unreadable and skipped",
					zap.String("rule", j.ID), zap.String("key", op.Key), zap.Error(err))
				s.reportError(fmt.Errorf("%w: page %d of rule %s: %w", ErrUnreadable, number, j.ID, err))
			}
		}
		progress.add(len(ops))
	}
	if missing > 0 {
		s.Logger.Error("Part of the state is missing from storage", zap.String("rule", j.ID), zap.Int("pages", missing))
		s.reportError(fmt.Errorf("%w: %d pages of rule %s are missing", ErrUnreadable, missing, j.ID))
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// readTries is how often a read that fails is tried, over a quarter of a minute.
const readTries = 6

// read does a Batch of Gets, which is retried if it fails. It reports false when all tries have
// failed.
func (l *Loader) read(ctx context.Context, ops []*storage.Operation) (ok bool, err error) {
	pause := minRetry / 2
	for try := 1; ; try++ {
		err := doBatch(ctx, l.store.Client, ops)
		if err == nil {
			l.retried = false
			return true, nil
		}
		l.store.reportError(err)
		if l.retried = l.retried || try == readTries; l.retried {
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

// deleteOld deletes the pages of journals that no rule continues. The root still knows them, so
// the next start deletes what a crash leaves of them.
func (l *Loader) deleteOld(ctx context.Context) error {
	s := l.store
	for _, old := range l.root.journals {
		if slices.ContainsFunc(s.journals, func(j *ruleJournal) bool { return j.slot == old.slot }) {
			continue
		}
		for n := old.first; n <= old.last; {
			var ops []*storage.Operation
			for ; n <= old.last && len(ops) < maxDeletes; n++ {
				ops = append(ops, storage.DeleteOperation(pageKey(s.epoch, old.slot, n)))
			}
			if err := doBatch(ctx, s.Client, ops); err != nil {
				s.reportError(err) // they stay, and only take up space
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
