// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"slices"
	"strings"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// ledger notes which alerts were opened, and which of them proved to be part of another.
type ledger struct {
	rule   oracle.Rule
	opened map[oracle.Alert]int
	merged map[oracle.Alert]oracle.Alert
}

func newLedger(rule oracle.Rule) *ledger {
	return &ledger{rule: rule, opened: map[oracle.Alert]int{}, merged: map[oracle.Alert]oracle.Alert{}}
}

// enter notes records, and returns those that open an alert.
func (l *ledger) enter(records []detect.Alert) (opened []detect.Alert) {
	for _, record := range records {
		if record.State == detect.Open {
			opened = append(opened, record)
			l.opened[named(record)]++
		}
		if into, ok := mergedInto(record); ok {
			l.merged[named(record)] = into
		}
	}
	return opened
}

// mergedInto returns the alert that continues one that was merged.
func mergedInto(record detect.Alert) (into oracle.Alert, ok bool) {
	return oracle.Alert{Group: groupName(record.Group), Start: record.MergedInto}, record.Merged
}

// compare checks that every alert that is due was opened, no other, and none twice.
func (l *ledger) compare(events []oracle.Event) error {
	due := oracle.Alerts(events, l.rule)
	found, wrong := l.found(events)
	for _, alert := range due {
		if found[alert] == 0 {
			wrong = append(wrong, fmt.Sprintf("missed %+v", alert))
		}
	}
	for alert, times := range found {
		if times > 1 {
			wrong = append(wrong, fmt.Sprintf("%d times %+v", times, alert))
		}
		if !slices.Contains(due, alert) {
			wrong = append(wrong, fmt.Sprintf("extra %+v", alert))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d due, %d opened: %s", len(due), len(l.opened), strings.Join(wrong, ", "))
	}
	return nil
}

// found returns what was opened, in the oracle's terms. A session is identified by its first
// event, which may arrive last: all that was opened within it is listed under the start
// that it has now, except for what another continued.
func (l *ledger) found(events []oracle.Event) (found map[oracle.Alert]int, wrong []string) {
	if l.rule.Type != oracle.Session {
		for alert, into := range l.merged {
			wrong = append(wrong, fmt.Sprintf("merged %+v into %+v", alert, into))
		}
		return l.opened, wrong
	}
	found = map[oracle.Alert]int{}
	runs, counted := oracle.Runs(events, l.rule), oracle.Counted(events, l.rule)
	for alert, times := range l.opened {
		start, ok := runStart(runs, alert)
		if !ok || len(oracle.Between(counted, alert.Group, alert.Start, alert.Start)) == 0 {
			wrong = append(wrong, fmt.Sprintf("extra %+v, when nothing happened", alert))
		}
		found[start] += times
	}
	for alert, into := range l.merged {
		start, _ := runStart(runs, alert)
		other, _ := runStart(runs, into)
		if l.opened[alert] == 0 || l.opened[into] == 0 || alert == into || start != other {
			wrong = append(wrong, fmt.Sprintf("merged %+v into %+v", alert, into))
		}
		found[start]--
	}
	return found, wrong
}

func runStart(runs []oracle.Run, alert oracle.Alert) (start oracle.Alert, ok bool) {
	i := slices.IndexFunc(runs, func(r oracle.Run) bool { return r.Holds(alert.Group, alert.Start) })
	if i < 0 {
		return alert, false
	}
	return oracle.Alert{Group: alert.Group, Start: runs[i].First}, true
}

// checkNews checks that a session that opens is new: nothing known before the call
// lies in front of it, and it is none that was open already.
func (l *ledger) checkNews(session detect.Alert, before []oracle.Event, openedBefore []oracle.Alert) error {
	name := named(session)
	for _, event := range oracle.Counted(before, l.rule) {
		if event.Group == name.Group && near(event.Time, name.Start, l.rule) && event.Time < name.Start {
			return fmt.Errorf("%+v is not the first, %d was known", name, event.Time)
		}
	}
	runs := oracle.Runs(before, l.rule)
	for _, known := range openedBefore {
		i := slices.IndexFunc(runs, func(r oracle.Run) bool { return r.Holds(known.Group, known.Start) })
		if i >= 0 && runs[i].Group == name.Group &&
			(runs[i].Holds(name.Group, name.Start) || near(runs[i].First, name.Start, l.rule) || near(runs[i].Last, name.Start, l.rule)) {
			return fmt.Errorf("%+v is the same session as %+v, which was open", name, known)
		}
	}
	return nil
}

// near reports whether two times belong to one session.
func near(a, b int64, rule oracle.Rule) bool {
	return uint64(max(a, b))-uint64(min(a, b)) <= uint64(rule.Size)
}
