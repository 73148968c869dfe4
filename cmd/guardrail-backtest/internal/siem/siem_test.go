// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package siem

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/internal/invocation"
)

var (
	start    = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	absent   = invocation.Kind{Verdict: invocation.Unguarded, Evidence: invocation.Absent}
	unnamed  = invocation.Kind{Verdict: invocation.Guarded, Evidence: invocation.Unnamed}
	throttle = invocation.Kind{Verdict: invocation.Failed, Evidence: invocation.Error}
)

// The query as a person reads it: all records of each user, counted anew at each run.
func byHand(times []int64) (runs []int64) {
	for run := slices.Min(times)/every - 1; run <= slices.Max(times)/every+lookBack+1; run++ {
		n := 0
		for _, at := range times {
			if run*every-lookBack*every <= at && at <= run*every {
				n++
			}
		}
		if n > threshold {
			runs = append(runs, run)
		}
	}
	return runs
}

func TestRunsFindWhatTheQueryFinds(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var times []int64
		for range 4 + rng.IntN(12) {
			// Many of them exactly at a run, where the window is closed on both sides.
			times = append(times, start.UnixNano()+rng.Int64N(14)*every+[]int64{0, 0, 1, int64(time.Minute)}[rng.IntN(4)])
		}
		slices.Sort(times)
		var r Rule
		for _, at := range times {
			r.Add(at, "otter", "1", absent)
		}
		total := 0
		for _, e := range r.Finish() {
			total += e.Runs
		}
		assert.Len(t, byHand(times), total, "seed %d", seed)
		assert.Equal(t, r.Runs, total)
	}
}

func TestABurstIsFoundSixOrSevenTimesInARow(t *testing.T) {
	var r Rule
	for i := range int64(6) {
		r.Add(start.UnixNano()+i*int64(time.Second), "otter", "1", absent)
	}
	episodes := r.Finish()
	assert.Len(t, episodes, 1)
	assert.Equal(t, 6, episodes[0].Runs)
	assert.Equal(t, map[invocation.Kind]int{absent: 6}, episodes[0].Kinds, "each call once")
}

func TestARunRaisesAtMost100Alerts(t *testing.T) {
	var r Rule
	for i := range int64(7) {
		for u := range 101 {
			if u < 100 || i < 6 { // the last user has the fewest
				r.Add(start.UnixNano()+i, string(rune('a'+u)), "1", absent)
			}
		}
	}
	cut := 0
	for _, e := range r.Finish() {
		if e.Cut {
			cut++
		}
	}
	assert.Equal(t, 1, cut)
}

func TestWhatTheIntegrationReads(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Record
		ok   bool
	}{
		"trace of Converse":   {`{"identity":{"arn":"u"},"accountId":"1","output":{"outputBodyJson":{"trace":{"guardrail":{"inputAssessment":{"g":{}}}}}}}`, Record{"u", "1", true}, true},
		"trace of a model":    {`{"identity":{"arn":"u"},"output":{"outputBodyJson":{"amazon-bedrock-trace":{"guardrail":{"input":{"g":{}}}}}}}`, Record{"u", "", true}, true},
		"trace of a stream":   {`{"identity":{"arn":"u"},"output":{"outputBodyJson":[{},"[DONE]",{"amazon-bedrock-trace":{"guardrail":{"input":{"g":{}}}}}]}}`, Record{"u", "", true}, true},
		"action without it":   {`{"identity":{"arn":"u"},"output":{"outputBodyJson":{"amazon-bedrock-guardrailAction":"NONE"}}}`, Record{"u", "", false}, true},
		"outputs alone":       {`{"identity":{"arn":"u"},"output":{"outputBodyJson":{"trace":{"guardrail":{"outputAssessments":{"g":[]}}}}}}`, Record{"u", "", false}, true},
		"failed":              {`{"identity":{"arn":"u"},"errorCode":"ThrottlingException"}`, Record{"u", "", false}, true},
		"no identity":         {`{"output":{}}`, Record{}, false},
		"no record":           {`hello`, Record{}, false},
		"escaped":             {`{"identity":{"arn":"\u0075"},"output":{"outputBodyJson":{"tr\u0061ce":{"guardrail":{"inputAssessment":{"g":{}}}}}}}`, Record{"u", "", true}, true},
		"spaced":              {"{ \"identity\" : { \"arn\" : \"u\" } ,\n \"output\" : { \"outputBodyJson\" : [ 1 , { \"amazon-bedrock-trace\" : { \"guardrail\" : { \"input\" : { \"g\" : { } } } } } ] } }", Record{"u", "", true}, true},
		"quotes in a prompt":  {`{"input":{"text":"\\\"}],\\"},"identity":{"arn":"u"},"output":{}}`, Record{"u", "", false}, true},
		"a trace in a prompt": {`{"input":{"trace":{"guardrail":{"inputAssessment":{"g":{}}}}},"identity":{"arn":"u"},"output":{"outputBodyJson":{"text":"\"trace\""}}}`, Record{"u", "", false}, true},
		"after a header":      {`2026-03-14T09:00:00Z {"identity":{"arn":"u"}}`, Record{"u", "", false}, true},
		"in a wrapper":        {`{"time":1,"log":"{\"identity\":{\"arn\":\"u\"}}"}`, Record{"u", "", false}, true},
		"in two":              {`{"message":{"event":{"original":"{\"identity\":{\"arn\":\"u\"},\"accountId\":\"1\"}"}}}`, Record{"u", "1", false}, true},
		"cut off":             {`{"identity":{"arn":"u"},"output":{"outputBodyJson":{"text":"`, Record{}, false},
		"user is no text":     {`{"identity":{"arn":7},"accountId":1}`, Record{}, true},
		"an empty assessment": {`{"identity":{"arn":"u"},"output":{"outputBodyJson":{"trace":{"guardrail":{"inputAssessment":{}}}}}}`, Record{"u", "", false}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Read(c.text)
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEachRowSaysWhy(t *testing.T) {
	var r Rule
	for i := range int64(6) {
		r.Add(start.UnixNano()+i, "both", "1", absent)
		r.Add(start.UnixNano()+i, "guarded", "1", unnamed)
		r.Add(start.UnixNano()+i, "guarded", "2", throttle)
	}
	alert := func(user string) *analysis.Alert {
		return &analysis.Alert{Rule: "r", Group: map[string]string{userKey: user}, Start: start, End: start.Add(time.Minute)}
	}
	c := Compare(&analysis.Report{
		Rules:  []*analysis.RuleReport{{ID: "r"}},
		Alerts: []*analysis.Alert{alert("both"), alert("telemetry"), {Rule: "r"}},
	}, &r)
	assert.Equal(t, 1, c.Both)
	assert.Equal(t, 1, c.OnlyOurs)
	assert.Equal(t, 1, c.OnlyTheirs)
	rows := map[string]Row{}
	for _, row := range c.Rows {
		rows[row.User] = row
	}
	assert.Equal(t, 6, rows["both"].Runs)
	assert.Equal(t, "6 calls guarded, without a trace of the input for it to see; 6 calls failed; of 2 accounts together", rows["guarded"].Why)
	assert.Contains(t, rows["telemetry"].Why, "Bedrock's own records alone")
}

// A rule that counts by role, or by account, finds the calls of the role's sessions, which the SIEM counts each by itself.
func TestSessionsBelongToTheirRole(t *testing.T) {
	const role = "arn:aws:sts::111122223333:assumed-role/drafts"
	for name, group := range map[string]map[string]string{
		"role":    {invocation.AttrPrincipal: role},
		"account": {"cloud.account.id": "111122223333"},
	} {
		var r Rule
		for i := range int64(6) {
			r.Add(start.UnixNano()+i, role+"/one", "1", absent)
			r.Add(start.UnixNano()+i, role+"s/one", "1", absent)
		}
		c := Compare(&analysis.Report{
			Rules:  []*analysis.RuleReport{{ID: "r", Groups: []*analysis.GroupReport{{Key: "k", Principals: []string{role}}}}},
			Alerts: []*analysis.Alert{{Rule: "r", Key: "k", Group: group, Start: start, End: start.Add(time.Minute)}},
		}, &r)
		assert.Equal(t, []int{1, 0, 1}, []int{c.Both, c.OnlyOurs, c.OnlyTheirs}, name)
	}
}

// parsed returns what the rule knows of a record without a wrapper, read with the standard library.
func parsed(text string) (r Record, ok bool) {
	object := func(text json.RawMessage) (members map[string]json.RawMessage) {
		if json.Unmarshal(text, &members) != nil {
			return nil
		}
		return members
	}
	record := object(json.RawMessage(text))
	if record["identity"] == nil {
		return r, false
	}
	_ = json.Unmarshal(object(record["identity"])["arn"], &r.User)
	_ = json.Unmarshal(record["accountId"], &r.Account)
	body := object(record["output"])["outputBodyJson"]
	var chunks []json.RawMessage
	if json.Unmarshal(body, &chunks) != nil {
		chunks = []json.RawMessage{body}
	}
	for _, chunk := range chunks {
		answer := object(chunk)
		for _, at := range [][2]string{{"trace", "inputAssessment"}, {"amazon-bedrock-trace", "input"}} {
			r.Named = r.Named || len(object(object(object(answer[at[0]])["guardrail"])[at[1]])) > 0
		}
	}
	return r, true
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"identity":{"arn":"u"},"accountId":"1","output":{"outputBodyJson":{"trace":{"guardrail":{"inputAssessment":{"g":{}}}}}}}`,
		`{"identity":{"arn":"\u0075"},"output":{"outputBodyJson":[{"amazon-bedrock-trace":{"guardrail":{"input":{"g":[1,2.5e3,null]}}}},"\\"]}}`,
		`{"identity":null,"identity":{},"output":7,"output":{"outputBodyJson":[]}}`, `{"log":"{\"identity\":{}}"}`, `{"a":[`, `{"a":1]`, `x {"a":tru}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := Read(text)
		want, wanted := parsed(text)
		if wanted && utf8.ValidString(text) {
			assert.True(t, ok)
			assert.Equal(t, want, got)
		}
	})
}
