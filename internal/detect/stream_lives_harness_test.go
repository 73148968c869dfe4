// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// lives follows every alert from its opening on.
type lives struct {
	stream                 streams.Stream
	keepAlive, maxDuration time.Duration
	now                    time.Time // of the call whose records are followed

	happened map[string][]happened // the distinct events of each group
	known    map[oracle.Alert]*aLife
}

// happened is a distinct event that counts: its time, and when it began to.
type happened struct {
	time     int64
	place    int // among all that arrive
	at       time.Time
	presumed bool
}

type aLife struct {
	opened  detect.Alert
	last    detect.Alert // the last record of it
	records int
	into    *oracle.Alert
	level   int // of the last escalation
	closed  bool
}

func newLives(stream streams.Stream, all []oracle.Event) *lives {
	l := &lives{stream: stream, happened: map[string][]happened{}, known: map[oracle.Alert]*aLife{}}
	l.keepAlive, l.maxDuration = life(stream)
	places := map[oracle.Event]int{} // where each arrived first
	var arrivals []time.Time
	for _, batch := range stream.Batches {
		for range batch.Events {
			place := len(arrivals)
			if _, repeat := places[all[place]]; !repeat {
				places[all[place]] = place
			}
			arrivals = append(arrivals, batch.Now)
		}
	}
	interventions, events := oracle.Interventions(all), stream.Events()
	for _, event := range oracle.Counted(all, stream.Rule()) {
		place := places[event]
		presumed := events[place].Presumed
		if followed := oracle.Followed(event, interventions, stream.AfterIntervention); stream.AfterIntervention > 0 {
			place = max(place, places[slices.MinFunc(followed, func(a, b oracle.Event) int { return places[a] - places[b] })])
		}
		l.happened[event.Group] = append(l.happened[event.Group], happened{event.Time, place, arrivals[place], presumed})
	}
	return l
}

// count returns how many of the first arrivals happened in a group in [first, last], and how many of
// those are presumed.
func (l *lives) count(arrived int, group string, first, last int64) (count, presumed int) {
	for _, event := range l.happened[group] {
		if event.place < arrived && first <= event.time && event.time <= last {
			count++
			if event.presumed {
				presumed++
			}
		}
	}
	return count, presumed
}

// enterAll follows records. How much had arrived before the call, and after it,
// bounds what they may count.
func (l *lives) enterAll(now time.Time, records []detect.Alert, before, after int) error {
	l.now = now
	for _, record := range records {
		if err := l.enter(record, before, after); err != nil {
			return fmt.Errorf("%w: %+v", err, record)
		}
	}
	for name, life := range l.known { // an alert may be continued by one that opens in the same call
		if life.into != nil && (l.known[*life.into] == nil || *life.into == name) {
			return fmt.Errorf("%+v merged into %+v, which does not exist", name, *life.into)
		}
	}
	return nil
}

func (l *lives) enter(record detect.Alert, before, after int) error {
	name := named(record)
	life := l.known[name]
	if record.State == detect.Open {
		if life != nil {
			return errors.New("opened twice")
		}
		if record.Earlier != 0 {
			return errors.New("opened, but not with its first record")
		}
		l.known[name] = &aLife{opened: record, last: record, records: 1}
		return nil
	}
	if life == nil {
		return errors.New("never opened")
	}
	if record.Earlier != life.records {
		return fmt.Errorf("said to be record %d of its alert, not %d", record.Earlier, life.records)
	}
	life.records++
	last := life.last
	life.last = record
	switch record.State {
	case detect.Escalated:
		if life.closed {
			return errors.New("escalated after it was closed")
		}
		level := l.level(record.Count)
		if level <= life.level {
			return fmt.Errorf("escalated at level %d, after level %d", level, life.level)
		}
		life.level = level
	case detect.Closed:
		if !life.closed && l.level(record.Count) > life.level {
			return fmt.Errorf("closed at level %d, escalated to %d", l.level(record.Count), life.level)
		}
		into, merged := mergedInto(record)
		switch {
		case merged:
			life.into = &into
		case life.closed && record.Exact && record.Count == last.Count:
			return errors.New("closed again, though nothing came late")
		case !life.closed && l.changed(record, after):
			return errors.New("closed too early")
		}
		life.closed = true
	default:
		return errors.New("neither opened, escalated nor closed")
	}
	return l.counted(record, before, after)
}

// changed reports whether something of an alert arrived less than the keep-alive
// ago. An alert that cannot grow any longer may be closed too.
func (l *lives) changed(record detect.Alert, arrived int) bool {
	if l.maxDuration < year {
		return false
	}
	end := record.WindowEnd
	if l.stream.Window != oracle.Session {
		end--
	}
	return slices.ContainsFunc(l.happened[groupName(record.Group)], func(event happened) bool {
		return event.place < arrived && record.WindowStart <= event.time && event.time <= end &&
			l.now.Sub(event.at) < l.keepAlive
	})
}

// level returns how many of 10, 100, 1,000... times the threshold a count has passed.
func (l *lives) level(count int) int {
	level := 0
	for past := 10 * max(1, l.stream.Threshold); count > past; past *= 10 {
		level++
	}
	return level
}

// counted checks that a record counts what happened from its first event to its last,
// both of which did. A count that is not exact is a lower bound.
func (l *lives) counted(record detect.Alert, before, after int) error {
	name := named(record)
	least, presumedLeast := l.count(before, name.Group, record.First, record.Last)
	most, presumedMost := l.count(after, name.Group, record.First, record.Last)
	if !record.Exact {
		if record.Count > most || record.Presumed > presumedMost {
			return fmt.Errorf("from first to last %d events at most, %d of them presumed", most, presumedMost)
		}
		return nil
	}
	if record.Count < least || record.Count > most {
		return fmt.Errorf("from first to last %d to %d events", least, most)
	}
	if record.Presumed < presumedLeast || record.Presumed > presumedMost {
		return fmt.Errorf("from first to last %d to %d presumed events", presumedLeast, presumedMost)
	}
	for _, end := range []int64{record.First, record.Last} {
		if n, _ := l.count(after, name.Group, end, end); n == 0 {
			return fmt.Errorf("nothing happened at %d", end)
		}
	}
	return nil
}

// allClosed checks that every alert is closed, with totals of all that is known.
func (l *lives) allClosed(arrived int) error {
	for name, life := range l.known {
		if !life.closed {
			return fmt.Errorf("%+v was never closed", name)
		}
		if life.into != nil {
			continue // the other one reports it
		}
		if err := l.counted(life.last, arrived, arrived); err != nil {
			return fmt.Errorf("%w at the last: %+v", err, life.last)
		}
	}
	return nil
}

// cover checks that every alerting window lies within an alert of its group, and no
// alert to span more than it may.
func (l *lives) cover(all []oracle.Event) error {
	size := int64(l.stream.Size)
	due := oracle.Alerts(all, l.stream.Rule())
	runs := oracle.Runs(all, l.stream.Rule())
	for _, alert := range due {
		first, last := alert.Start, alert.Start+size
		if l.stream.Window == oracle.Session {
			for _, run := range runs {
				if run.Holds(alert.Group, alert.Start) {
					first, last = run.First, run.Last
				}
			}
		}
		if !l.covered(alert.Group, first, last) {
			return fmt.Errorf("no alert covers %+v", alert)
		}
	}
	for name, life := range l.known {
		start, end := life.last.WindowStart, life.last.WindowEnd
		if err := l.together(name.Group, start, end, due); err != nil && l.stream.Window != oracle.Session && life.into == nil {
			return fmt.Errorf("%+v: %w", life.last, err)
		}
		if name.Start < start || name.Start > end {
			return fmt.Errorf("%+v lies outside of its alert: %+v", name, life.last)
		}
	}
	return nil
}

// together checks that an alert is made of alerting buckets that are near enough to
// each other, from the first of them to the end of the last, and not of too many.
func (l *lives) together(group string, start, end int64, due []oracle.Alert) error {
	size, longest := int64(l.stream.Size), max(l.maxDuration, l.stream.Size)
	if l.keepAlive == 0 {
		longest = l.stream.Size
	}
	if uint64(end)-uint64(start) > uint64(longest) {
		return errors.New("longer than an alert may be")
	}
	last := start // of the buckets so far
	for _, bucket := range due {
		if bucket.Group != group || bucket.Start < start || bucket.Start >= end {
			continue
		}
		if bucket.Start-last > int64(l.keepAlive) {
			return fmt.Errorf("nothing alerts from %d to %d", last, bucket.Start)
		}
		last = bucket.Start + size
	}
	if last != end {
		return errors.New("ends where no alerting bucket does")
	}
	return nil
}

func (l *lives) covered(group string, first, last int64) bool {
	for name, life := range l.known {
		if name.Group == group && life.into == nil && life.last.WindowStart <= first && last <= life.last.WindowEnd {
			return true
		}
	}
	return false
}

// noneExtra checks that every alert was opened by a window that alerts.
func (l *lives) noneExtra(all []oracle.Event) error {
	due := oracle.Alerts(all, l.stream.Rule())
	runs := oracle.Runs(all, l.stream.Rule())
	for name := range l.known {
		found := name
		if l.stream.Window == oracle.Session {
			found, _ = runStart(runs, name)
		}
		if !slices.Contains(due, found) {
			return fmt.Errorf("extra %+v", name)
		}
	}
	return nil
}
