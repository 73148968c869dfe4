// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/detect"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// grown returns a later state of [burst], with a new count.
func grown(state detect.State, count int) detect.Alert {
	a := burst()
	a.State, a.Count, a.Earlier = state, count, int(state)
	a.Last += int64(5 * time.Minute)
	a.WindowStart += int64(5 * time.Minute)
	a.WindowEnd += int64(5 * time.Minute)
	return a
}

// overflowing returns an overflow alert for groups of two accounts, the largest first.
func overflowing(groups, evicted int) detect.Alert {
	summary := &detect.Summary{Evicted: evicted}
	for i := range groups {
		g := detect.SummaryGroup{Group: []string{fmt.Sprintf("user %d", i), []string{"111122223333", "444455556666"}[i%2]}, Count: 1000 - i}
		summary.Groups = append(summary.Groups, g)
		summary.Invocations += g.Count
	}
	return detect.Alert{State: detect.Overflow, Opened: raisedAt.UnixNano(), Overflow: summary}
}

// alerts holds an alert for each kind of record, by the name of its golden file.
var alerts = map[string]func(*Rule) detect.Alert{
	"open":      func(*Rule) detect.Alert { return burst() },
	"escalated": func(*Rule) detect.Alert { return grown(detect.Escalated, 51) },
	"closed":    func(*Rule) detect.Alert { return grown(detect.Closed, 73) },
	"closed_merged": func(*Rule) detect.Alert {
		a := grown(detect.Closed, 73)
		a.Merged, a.MergedInto = true, a.Opened-int64(10*time.Minute)
		return a
	},
	"overflow":         func(*Rule) detect.Alert { return overflowing(3, 0) },
	"overflow_evicted": func(*Rule) detect.Alert { return overflowing(3, 17) },
	"evicted_only":     func(*Rule) detect.Alert { return overflowing(0, 17) },
	"dry_run": func(r *Rule) detect.Alert {
		r.DryRun = true
		return burst()
	},
	"session": func(r *Rule) detect.Alert {
		r.WindowType, r.WindowSize = "session", 15*time.Minute
		a := burst()
		a.WindowStart, a.WindowEnd = a.First, a.Last
		return a
	},
}

// Backends, dashboards and SIEM rules depend on every attribute of these records.
func TestAlertRecordsStayCompatible(t *testing.T) {
	for name, make := range alerts {
		t.Run(name, func(t *testing.T) {
			logs := plog.NewLogs()
			records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			r := bursts()
			a := make(&r)
			r.AppendTo(records, &a, Guarded{}, raisedAt)
			require.Equal(t, "gen_ai_guardrail.alert", records.At(0).EventName())
			require.Equal(t, "gen_ai_guardrail.alert", attribute(t, records.At(0), "event.name"), "for exporters that write no event name")

			compact, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
			require.NoError(t, err)
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, append(compact, '\n'), "", "  "))
			golden := filepath.Join("testdata", "alert_"+name+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, indented.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), indented.String())
		})
	}
}

// Backends promote records of kind alert: neither the end of an alert nor a dry run is one.
func TestOnlyNewAlertsArePromoted(t *testing.T) {
	for name, make := range alerts {
		r := bursts()
		a := make(&r)
		want := map[bool]string{true: "event", false: "alert"}[r.DryRun || a.State == detect.Closed]
		assert.Equal(t, want, attribute(t, write(r, a), "event.kind"), name)
		r.DryRun = true
		assert.Equal(t, "event", attribute(t, write(r, a), "event.kind"), "%s in a dry run", name)
	}
}

// Later records of an alert must be filed under the alert that was opened.
func TestRecordsOfOneAlertShareItsID(t *testing.T) {
	r := bursts()
	id := func(a detect.Alert, key string) string { return attribute(t, write(r, a), key) }
	want := id(burst(), "gen_ai_guardrail.alert.id")
	for _, state := range []detect.State{detect.Escalated, detect.Closed} {
		assert.Equal(t, want, id(grown(state, 51), "gen_ai_guardrail.alert.id"))
	}
	later := burst()
	later.State, later.Opened, later.Merged, later.MergedInto = detect.Closed, later.Opened+1, true, burst().Opened
	assert.NotEqual(t, want, id(later, "gen_ai_guardrail.alert.id"))
	assert.Equal(t, want, id(later, "gen_ai_guardrail.alert.merged_into"), "the id of the alert that continues")
	_, merged := write(r, grown(detect.Closed, 51)).Attributes().Get("gen_ai_guardrail.alert.merged_into")
	assert.False(t, merged)
}

// A backend must accept an overflow record of any number of groups, and its totals must add up.
func TestOverflowNamesTheLargestAndAddsUpAccounts(t *testing.T) {
	attrs := write(bursts(), overflowing(250, 0)).Attributes()
	list := func(key string) pcommon.Slice {
		value, ok := attrs.Get("gen_ai_guardrail.overflow." + key)
		require.True(t, ok, key)
		return value.Slice()
	}
	require.Equal(t, 100, list("largest").Len())
	require.Equal(t, 100, list("largest_counts").Len())
	assert.Equal(t, "user.id=user 0,cloud.account.id=111122223333", list("largest").At(0).Str())
	assert.EqualValues(t, 1000, list("largest_counts").At(0).Int())
	assert.EqualValues(t, 901, list("largest_counts").At(99).Int())

	assert.Equal(t, []any{"111122223333", "444455556666"}, list("accounts").AsRaw())
	assert.Equal(t, []any{int64(125), int64(125)}, list("account_groups").AsRaw())
	var sum int64
	for _, n := range list("account_counts").AsRaw() {
		sum += n.(int64)
	}
	count, _ := attrs.Get("gen_ai_guardrail.count")
	assert.Equal(t, count.Int(), sum)
	groups, _ := attrs.Get("gen_ai_guardrail.overflow.groups")
	assert.EqualValues(t, 250, groups.Int())

	r := bursts()
	r.GroupBy = []string{"user.id", "team"}
	for _, key := range []string{"accounts", "account_groups", "account_counts"} {
		_, present := write(r, overflowing(3, 0)).Attributes().Get("gen_ai_guardrail.overflow." + key)
		assert.False(t, present, "%s of a rule that does not group by account", key)
	}
}

// A backend that identifies records by id must not take two overflows for one.
func TestOverflowsHaveDifferentIDs(t *testing.T) {
	id := func(r Rule, later time.Duration) string {
		a := overflowing(1, 0)
		a.Opened += int64(later)
		return attribute(t, write(r, a), "gen_ai_guardrail.alert.id")
	}
	other := bursts()
	other.ID = "other"
	assert.NotEqual(t, id(bursts(), 0), id(bursts(), 10*time.Minute))
	assert.NotEqual(t, id(bursts(), 0), id(other, 0))
	assert.NotEqual(t, id(bursts(), 0), attribute(t, write(bursts(), burst()), "gen_ai_guardrail.alert.id"))
}

// Overflows hold hostile names as well.
func TestOverflowNamesAreEscaped(t *testing.T) {
	a := overflowing(1, 0)
	a.Overflow.Groups[0].Group = []string{"a\xff,b=c\n", "\xfe"}
	record := write(bursts(), a)
	assert.Equal(t, `["user.id=a`+"\ufffd"+`%2Cb%3Dc\n,cloud.account.id=`+"\ufffd"+`"]`, attribute(t, record, "gen_ai_guardrail.overflow.largest"))
	assert.Equal(t, `["`+"\ufffd"+`"]`, attribute(t, record, "gen_ai_guardrail.overflow.accounts"))
	assert.NotContains(t, record.Body().Str(), "\n")
}

// Whoever follows an alert reads these sentences.
func TestSentencesOfLaterStates(t *testing.T) {
	const alice = "User arn:aws:iam::111122223333:user/alice in account 111122223333 "
	for name, want := range map[string]string{
		"escalated": alice + "has made 51 invocations without a guardrail by now (from 2026-03-14T09:12:00Z to 2026-03-14T09:17:10Z), " +
			"where 5 within 1m are allowed.",
		"closed":        alice + "made 73 invocations without a guardrail in all (from 2026-03-14T09:12:00Z to 2026-03-14T09:17:10Z); this alert is closed.",
		"closed_merged": alice + "made 73 invocations without a guardrail in all (from 2026-03-14T09:12:00Z to 2026-03-14T09:17:10Z); this alert goes on in an earlier one.",
		"overflow":      "3 more groups made 2997 invocations without a guardrail and are summed up here, since the limit is 100 alerts in ten minutes.",
		"overflow_evicted": "3 more groups made 2997 invocations without a guardrail and are summed up here, since the limit is 100 alerts in ten minutes; " +
			"17 groups were forgotten for lack of memory (max_state_mib), the quietest first.",
		"evicted_only": "17 groups were forgotten for lack of memory (max_state_mib), the quietest first.",
	} {
		r := bursts()
		a := alerts[name](&r)
		assert.Equal(t, want, r.sentence(&a, Guarded{}), name)
	}
	r, a := bursts(), grown(detect.Closed, 9000)
	a.Exact = false
	assert.True(t, strings.HasPrefix(r.sentence(&a, Guarded{}), alice+"made at least 9000 invocations"), "a lower bound is marked")
}

func TestOverflowOfOneIsWrittenInTheSingular(t *testing.T) {
	r, a := bursts(), overflowing(1, 1)
	assert.NotContains(t, r.sentence(&a, Guarded{}), "1 more groups")
	assert.NotContains(t, r.sentence(&a, Guarded{}), " 1 groups")
}

func TestStatesHaveNames(t *testing.T) {
	assert.Equal(t, []string{"open", "escalated", "closed", "overflow"}, States())
	for i, name := range States() {
		assert.Equal(t, name, StateName(detect.State(i)))
	}
}
