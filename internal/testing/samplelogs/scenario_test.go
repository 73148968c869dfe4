// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// delivered is a record as it lies in the committed files, read and judged here by the simplest means.
type delivered struct {
	object string
	line   []byte

	Timestamp  string
	AccountID  string
	RequestID  string
	ModelID    string
	SchemaType string
	ErrorCode  string
	Identity   struct{ ARN string }
	Output     struct{ OutputBodyJSON json.RawMessage }
}

func (d delivered) time(t *testing.T) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05Z", d.Timestamp)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// unguarded holds for these samples only: no prompt or answer in them quotes a key.
func (d delivered) unguarded() bool {
	body := string(d.Output.OutputBodyJSON)
	return body != "" && !strings.Contains(body, "amazon-bedrock-guardrailAction") &&
		!strings.Contains(body, `"guardrail":`) && !strings.Contains(d.ModelID, "embed")
}

func read(t *testing.T) []delivered {
	t.Helper()
	var all []delivered
	for _, path := range paths(t, committed) {
		if !strings.HasSuffix(path, ".json.gz") || strings.Contains(path, "/data/") {
			continue
		}
		data, err := samplelogs.Read(filepath.Join(committed, path))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			d := delivered{object: path, line: line}
			if err := json.Unmarshal(line, &d); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			all = append(all, d)
		}
	}
	return all
}

// unguardedTimes are the sorted times of a user's unguarded invocations, each counted once, by account.
func unguardedTimes(t *testing.T) map[[2]string][]time.Time {
	t.Helper()
	seen := map[string]bool{}
	groups := map[[2]string][]time.Time{}
	for _, d := range read(t) {
		if d.unguarded() && !seen[d.RequestID] {
			seen[d.RequestID] = true
			group := [2]string{d.Identity.ARN, d.AccountID}
			groups[group] = append(groups[group], d.time(t))
		}
	}
	for _, times := range groups {
		slices.SortFunc(times, time.Time.Compare)
	}
	return groups
}

// busiest is how many of the times fall into the fullest minute that ends with one of them.
func busiest(times []time.Time) int {
	most := 0
	for _, end := range times {
		n := 0
		for _, t := range times {
			if t.After(end.Add(-time.Minute)) && !t.After(end) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// busiestCalendarMinute is how many fall into the fullest minute of the clock.
func busiestCalendarMinute(times []time.Time) int {
	counts := map[time.Time]int{}
	for _, t := range times {
		counts[t.Truncate(time.Minute)]++
	}
	return slices.Max(slices.Collect(maps.Values(counts)))
}

func TestTheRuleAsDescribedRaisesTheExpectedAlerts(t *testing.T) {
	var got []samplelogs.Alert
	for group, times := range unguardedTimes(t) {
		alert := samplelogs.Alert{User: group[0], Account: group[1], Total: len(times), Last: times[len(times)-1]}
		var lastBucket time.Time
		for i, at := range times {
			window := times[:i+1]
			for !window[0].After(at.Add(-time.Minute)) {
				window = window[1:]
			}
			if len(window) <= 5 {
				continue
			}
			if alert.Alerts == 0 {
				alert.Count, alert.First, alert.Crossed = len(window), window[0], at
			}
			bucket := at.Truncate(time.Minute)
			if alert.Alerts == 0 || bucket.Sub(lastBucket.Add(time.Minute)) > 10*time.Minute {
				alert.Alerts++
			}
			lastBucket = bucket
		}
		if alert.Alerts > 0 {
			got = append(got, alert)
		}
	}
	slices.SortFunc(got, func(a, b samplelogs.Alert) int { return a.Crossed.Compare(b.Crossed) })
	if want := samplelogs.Expected(); !slices.Equal(got, want) {
		t.Errorf("counted\n%+v\nexpected\n%+v", got, want)
	}
}

func TestTheReadmeNamesWhoAlerts(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range samplelogs.Expected() {
		if row := "| `" + alert.User + "` | " + alert.Account + " |"; !bytes.Contains(text, []byte(row)) {
			t.Errorf("no row %s", row)
		}
	}
}

func TestTheTemptingMistakesWouldShow(t *testing.T) {
	const (
		museum = "111122223333"
		lab    = "444455556666"
	)
	groups := unguardedTimes(t)
	user := func(account, name string) []time.Time {
		return groups[[2]string{"arn:aws:iam::" + account + ":user/" + name, account}]
	}

	t.Run("calendar minutes miss the burst across the edge", func(t *testing.T) {
		times := user(museum, "label-drafts")
		if got := busiestCalendarMinute(times); got > 5 {
			t.Errorf("a calendar minute holds %d", got)
		}
		if got := busiest(times); got != 6 {
			t.Errorf("the fullest minute holds %d", got)
		}
	})
	t.Run("a window closed at both ends alerts on five", func(t *testing.T) {
		times := user(museum, "audio-guide-editor")
		if got := busiest(times); got != 5 {
			t.Errorf("the fullest minute holds %d", got)
		}
		if got := times[5].Sub(times[0]); got != time.Minute {
			t.Errorf("the sixth comes after %v", got)
		}
	})
	t.Run("counting repeats alerts on five", func(t *testing.T) {
		lines := 0
		for _, d := range read(t) {
			if strings.HasSuffix(d.Identity.ARN, "user/map-room") {
				lines++
			}
		}
		if times := user(lab, "map-room"); lines != 6 || len(times) != 5 || busiest(times) != 5 {
			t.Errorf("%d lines of %d invocations", lines, len(times))
		}
	})
	t.Run("counting by name alone alerts on two users", func(t *testing.T) {
		arn := "arn:aws:iam::" + museum + ":user/loan-registrar"
		here, there := groups[[2]string{arn, museum}], groups[[2]string{arn, lab}]
		together := slices.SortedFunc(slices.Values(slices.Concat(here, there)), time.Time.Compare)
		if len(here) != 4 || len(there) != 4 || busiest(together) != 8 {
			t.Errorf("%d and %d, together %d in a minute", len(here), len(there), busiest(together))
		}
	})
	t.Run("counting over an hour alerts on the slow one", func(t *testing.T) {
		times := user(museum, "night-porter")
		if got := times[len(times)-1].Sub(times[0]); len(times) != 6 || got > time.Hour || busiest(times) != 1 {
			t.Errorf("%d within %v", len(times), got)
		}
	})
	t.Run("everybody without evidence is not unguarded", func(t *testing.T) {
		byUser := map[string][]time.Time{}
		for _, d := range read(t) {
			if !d.unguarded() {
				byUser[d.Identity.ARN] = append(byUser[d.Identity.ARN], d.time(t))
			}
		}
		for _, name := range []string{"press-office-trial", "indexer", "batch-9", "run-318", "task-41", "guide-writer", "greenhouse-1", "chat-7c"} {
			for arn, times := range byUser {
				if strings.HasSuffix(arn, "/"+name) && busiest(times) <= 5 {
					t.Errorf("%s makes %d calls a minute, too few to alert if misjudged", arn, busiest(times))
				}
			}
		}
	})
}

func TestInvocationsHoldWhatTheRecordsShow(t *testing.T) {
	truth := map[string]samplelogs.Invocation{}
	for _, i := range samplelogs.Invocations() {
		truth[i.RequestID] = i
	}
	lines := map[string]int{}
	for _, d := range read(t) {
		lines[d.RequestID]++
		i, known := truth[d.RequestID]
		if !known {
			t.Errorf("%s is unknown", d.RequestID)
			continue
		}
		if (i.Verdict == "unguarded") != d.unguarded() || i.User != d.Identity.ARN || i.Account != d.AccountID ||
			i.Model != d.ModelID || !i.Time.Equal(d.time(t)) || (i.Verdict == "failed") != (d.ErrorCode != "") {
			t.Errorf("%+v does not fit\n%s", i, d.line)
		}
		if named := i.Guardrail != "" && bytes.Contains(d.Output.OutputBodyJSON, []byte(`"guardrailVersion":"`+i.GuardrailVersion+`"`)); named != (i.Evidence == "applied") {
			t.Errorf("%+v names no guardrail in\n%s", i, d.line)
		}
	}
	for id, i := range truth {
		if lines[id] != i.Delivered {
			t.Errorf("%s: %d records, expected %d", id, lines[id], i.Delivered)
		}
	}
}

func TestTheFolderLooksAsBedrockWritesIt(t *testing.T) {
	first := map[string][]byte{} // by which a log reader distinguishes files
	orders := map[string]int{}
	seen := map[string]bool{}
	for _, d := range read(t) {
		if _, known := first[d.object]; !known {
			first[d.object] = d.line[:min(len(d.line), 1000)]
		}
		orders[string(d.line[:13])]++
		if d.SchemaType != "ModelInvocationLog" {
			t.Errorf("%s holds a %q", d.object, d.SchemaType)
		}
		name := filepath.Base(d.object)
		written, err := time.Parse("20060102T150405.000Z", name[:15]+"."+name[15:19])
		if err != nil || len(name) != len("20260314T090000000Z_0123456789abcdef.json.gz") {
			t.Fatalf("%s: %v", name, err)
		}
		if later := written.Sub(d.time(t)); !seen[d.RequestID] && (later < 3*time.Second || later > time.Minute) {
			t.Errorf("%s is written %v after a record of it", name, later)
		}
		if want := "AWSLogs/" + d.AccountID + "/BedrockModelInvocationLogs/"; !strings.HasPrefix(d.object, want) ||
			!strings.Contains(d.object, written.Format("/2006/01/02/15/")) {
			t.Errorf("%s lies in the wrong folder", d.object)
		}
		seen[d.RequestID] = true
	}
	if len(orders) != 2 || orders[`{"schemaType"`] == 0 || orders[`{"timestamp":`] == 0 {
		t.Errorf("orders of keys: %v", orders)
	}
	if n := len(seen); n < 300 || n > 500 {
		t.Errorf("%d invocations", n)
	}
	starts := map[string]string{}
	for object, start := range first {
		if other, taken := starts[string(start)]; taken {
			t.Errorf("%s and %s begin alike: a log reader would take them for one file", object, other)
		}
		starts[string(start)] = object
	}

	var size int64
	permissions, bodies := 0, 0
	for _, path := range paths(t, committed) {
		info, err := os.Stat(filepath.Join(committed, path))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
		switch {
		case strings.HasSuffix(path, "/amazon-bedrock-logs-permission-check") && info.Size() == 0:
			permissions++
		case strings.Contains(path, "/data/") && strings.HasSuffix(path, "_output.json.gz"):
			bodies++
		}
	}
	if size > 150_000 || permissions != 2 || bodies != 1 {
		t.Errorf("%d bytes, %d permission checks, %d offloaded bodies", size, permissions, bodies)
	}
}
