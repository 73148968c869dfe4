// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
)

func load(t *testing.T, text string) (*Expectations, error) {
	file := filepath.Join(t.TempDir(), "expect.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return Load(file)
}

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func sample() *analysis.Report {
	alert := func(user string, minute, count int) *analysis.Alert {
		return &analysis.Alert{Rule: "burst", Group: map[string]string{"user.id": user}, Raised: noon.Add(time.Duration(minute) * time.Minute), Count: count, Sentence: "They did."}
	}
	return &analysis.Report{
		Rules:  []*analysis.RuleReport{{ID: "burst", GroupBy: []string{"user.id"}}},
		Alerts: []*analysis.Alert{alert("otter/1", 0, 6), alert("otter/1", 30, 60), alert("heron", 10, 8), {Rule: "burst"}},
	}
}

func TestWhatComesOfAnExpectation(t *testing.T) {
	for name, c := range map[string]struct {
		entry string
		met   bool // of must_alert; must_not_alert is met when it is not, unless it counts
	}{
		"a user":             {`group: {user.id: heron}`, true},
		"a glob":             {`group: {user.id: "otter/*"}`, true},
		"no such user":       {`group: {user.id: owl}`, false},
		"a part of a name":   {`group: {user.id: her}`, false},
		"a rule":             {`rule: burst`, true},
		"in time":            {`{group: {user.id: heron}, from: 2026-03-14T12:10:00Z, to: 2026-03-14T12:10:01Z}`, true},
		"too early":          {`{group: {user.id: heron}, from: 2026-03-14T12:10:01Z}`, false},
		"too late":           {`{group: {user.id: heron}, to: 2026-03-14T12:10:00Z}`, false},
		"enough calls":       {`count: 60`, true},
		"too few calls":      {`{group: {user.id: heron}, count: 9}`, false},
		"any":                {`name: any`, true},
		"as often as wanted": {`{group: {user.id: "otter/1"}, times: 2}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := load(t, "must_alert:\n- "+c.entry+"\nmust_not_alert:\n- "+c.entry)
			require.NoError(t, err)
			require.NoError(t, e.Check(sample()))
			outcomes := e.Outcomes(sample())
			assert.Equal(t, c.met, outcomes[0].Failure == "", outcomes[0].Failure)
			assert.Equal(t, c.met, outcomes[1].Failure != "")
		})
	}
	e, err := load(t, "must_alert: [{rule: burst, times: 2}]")
	require.NoError(t, err)
	assert.Equal(t, "3 alerts instead of 2", e.Outcomes(sample())[0].Failure)
}

// An expectation that nothing can ever break is worse than none.
func TestMistakesInTheFileAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "expects nothing",
		"must_alerts: [{rule: x}]":         "must_alerts",
		"must_alert: [{user: x}]":          "user",
		"must_alert: [null]":               "empty",
		"must_alert: [{from: yesterday}]":  "yesterday",
		"must_alert:\n- {count: many}":     "many",
		"must_not_alert: {rule: not_list}": "cannot unmarshal",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, want)
	}
	for _, text := range []string{"must_not_alert: [{group: {user: x}}]", "must_not_alert: [{rule: brust}]"} {
		e, err := load(t, text)
		require.NoError(t, err)
		require.ErrorContains(t, e.Check(sample()), "no rule")
	}
	_, err := Load("/missing.yaml")
	assert.Error(t, err)
}

func TestTooManyAlertsProveNothing(t *testing.T) {
	e, err := load(t, "must_not_alert: [{group: {user.id: owl}}]")
	require.NoError(t, err)
	r := sample()
	r.Unlisted = 1
	assert.Contains(t, e.Outcomes(r)[0].Failure, "cannot be decided")
}

// A test must not pass because the logs with the alert are broken.
func TestLogsThatCannotBeReadProveNothing(t *testing.T) {
	e, err := load(t, "{must_alert: [{group: {user.id: owl}}], must_not_alert: [{group: {user.id: owl}}]}")
	require.NoError(t, err)
	r := sample()
	r.Read.Faults = []string{"a.json.gz: unexpected EOF"}
	for _, o := range e.Outcomes(r) {
		assert.Equal(t, "cannot be decided: could not read a.json.gz: unexpected EOF", o.Failure)
	}
}

func TestJUnitCanBeReadWhateverNamesHold(t *testing.T) {
	text, err := JUnit([]Outcome{{Title: "a\x1b<b>&\"", Failure: "]]>\x00"}, {Title: "fine"}})
	require.NoError(t, err)
	var read suite
	require.NoError(t, xml.Unmarshal(text, &read))
	assert.Equal(t, 2, read.Tests)
	assert.Equal(t, 1, read.Failures)
	assert.Equal(t, `a\u001b<b>&"`, read.Cases[0].Name)
	assert.Equal(t, `]]>\u0000`, read.Cases[0].Failure.Message)
	assert.Nil(t, read.Cases[1].Failure)
}
