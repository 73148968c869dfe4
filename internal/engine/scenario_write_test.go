// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// describe writes alert records as lines that a person can compare: when it was
// emitted, state, a number for the alert's id, who, how many, from when to when.
// With several rules, the rule's id as well. Members of a crowd have no name and number, and equal lines are folded into one.
func describe(alerts []plog.LogRecord, crowds []string) string {
	alerts = slices.Clone(alerts)
	slices.SortStableFunc(alerts, func(a, b plog.LogRecord) int { // at one instant they come in any order
		return cmp.Or(cmp.Compare(a.Timestamp(), b.Timestamp()), cmp.Compare(attr(a, "gen_ai_guardrail.group"), attr(b, "gen_ai_guardrail.group")),
			cmp.Compare(attr(a, "gen_ai_guardrail.rule.id"), attr(b, "gen_ai_guardrail.rule.id")))
	})
	labels := map[string]string{}
	label := func(id string) string {
		if labels[id] == "" {
			labels[id] = fmt.Sprintf("#%d", len(labels)+1)
		}
		return labels[id]
	}
	rules := map[string]bool{}
	for _, a := range alerts {
		rules[attr(a, "gen_ai_guardrail.rule.id")] = true
	}
	var lines []string
	for _, a := range alerts {
		state := attr(a, "gen_ai_guardrail.alert.state")
		line := a.Timestamp().AsTime().UTC().Format(time.TimeOnly) + " " + state
		if state == "overflow" {
			lines = append(lines, line+describeOverflow(a, crowds))
			continue
		}
		who := whoOf(attr(a, "gen_ai_guardrail.group"), crowds)
		if !strings.Contains(who, "*") {
			line += " " + label(attr(a, "gen_ai_guardrail.alert.id"))
		}
		line += fmt.Sprintf(" %s: %s from %s to %s", who, attr(a, "gen_ai_guardrail.count"), clockOf(a, "event.start"), clockOf(a, "event.end"))
		if n := attr(a, "gen_ai_guardrail.count_presumed"); n != "0" {
			line += ", " + n + " presumed"
		}
		if attr(a, "gen_ai_guardrail.intervention.time") != "" {
			line += ", after an intervention at " + clockOf(a, "gen_ai_guardrail.intervention.time")
		}
		if attr(a, "gen_ai_guardrail.last_guarded") != "" {
			line += ", last guarded at " + clockOf(a, "gen_ai_guardrail.last_guarded")
		}
		if id := attr(a, "gen_ai_guardrail.alert.merged_into"); id != "" {
			line += ", merged into " + label(id)
		}
		if want := map[string]string{"closed": "event"}[state]; attr(a, "event.kind") != cmp.Or(want, "alert") {
			line += " (" + attr(a, "event.kind") + ")"
		}
		if len(rules) > 1 {
			line += " by " + attr(a, "gen_ai_guardrail.rule.id")
		}
		lines = append(lines, line)
	}
	return strings.Join(fold(lines), "")
}

func describeOverflow(a plog.LogRecord, crowds []string) string {
	names, _ := a.Attributes().Get("gen_ai_guardrail.overflow.largest")
	counts, _ := a.Attributes().Get("gen_ai_guardrail.overflow.largest_counts")
	var largest []string
	for i, name := range names.Slice().All() {
		largest = append(largest, fmt.Sprintf("    %s: %d", whoOf(name.Str(), crowds), counts.Slice().At(i).Int()))
	}
	return fmt.Sprintf(": %s groups, %s calls, the largest:\n%s", attr(a, "gen_ai_guardrail.overflow.groups"), attr(a, "gen_ai_guardrail.count"),
		strings.TrimRight(strings.Join(fold(largest), ""), "\n"))
}

// fold writes lines, those that are equal and stand together once.
func fold(lines []string) (folded []string) {
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		line := lines[i]
		if n > 1 {
			line += fmt.Sprintf(" (%d times)", n)
		}
		folded = append(folded, line+"\n")
		i += n
	}
	return folded
}

// whoOf returns the values of a group, with a member of a crowd as crowd-*.
func whoOf(group string, crowds []string) string {
	var values []string
	for part := range strings.SplitSeq(group, ",") {
		_, value, _ := strings.Cut(part, "=")
		for _, crowd := range crowds {
			if strings.HasPrefix(value, crowd) {
				value = crowd + "*"
			}
		}
		values = append(values, value)
	}
	return strings.Join(values, " ")
}

func clockOf(a plog.LogRecord, key string) string {
	instant, err := time.Parse(time.RFC3339Nano, attr(a, key))
	if err != nil {
		return err.Error()
	}
	return instant.Format(time.TimeOnly)
}
