// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

const samplesFolder = "../testdata/invocations"

// sample is a record of testdata/invocations and what must be read from it.
type sample struct {
	File, Note        string
	Options           json.RawMessage // settings of the processor
	Verdict, Evidence string
	Guardrails        []struct{ ID string }
	Intervened        bool

	User, Principal, Account, Region, Model, Operation string
	RequestID                                          string `json:"request_id"`
	Time                                               time.Time
}

// Every record of testdata/invocations passes through a collector with the settings that its entry names.
func TestSampleRecordsAreJudgedAsExpected(t *testing.T) {
	t.Parallel()
	bySettings := samplesBySettings(t)
	for _, settings := range slices.Sorted(maps.Keys(bySettings)) {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			p := start(t, processor("annotate: true"), "yaml:processors::gen_ai_guardrail: "+settings,
				"yaml:service::telemetry::logs::level: error") // so many odd records cause warnings
			for _, s := range bySettings[settings] {
				logs := s.logs(t)
				forwarded, _ := p.send(t, logs)
				s.check(t, recordsIn(logs)[0], recordsIn(forwarded)[0])
			}
		})
	}
}

// samplesBySettings returns the records of testdata/invocations by the settings that they need.
func samplesBySettings(t *testing.T) map[string][]sample {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samplesFolder, "expected.json"))
	require.NoError(t, err)
	var samples []sample
	require.NoError(t, json.Unmarshal(text, &samples))
	require.NotEmpty(t, samples)

	bySettings := map[string][]sample{}
	for _, s := range samples {
		settings := "{}"
		if len(s.Options) > 0 {
			settings = string(s.Options)
		}
		bySettings[settings] = append(bySettings[settings], s)
	}
	return bySettings
}

// logs returns the record in the form of its file: text, or OTLP in JSON.
func (s sample) logs(t *testing.T) plog.Logs {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samplesFolder, s.File))
	require.NoError(t, err)
	if strings.HasSuffix(s.File, ".otlp.json") {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(text)
		require.NoError(t, err, s.File)
		return logs
	}
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(string(text))
	return logs
}

// check compares a forwarded record, annotations included, with the record that was sent.
func (s sample) check(t *testing.T, sent, got plog.LogRecord) {
	t.Helper()
	name := s.File + ": " + s.Note
	isInvocation := s.Verdict != "not_invocation"
	want := sent.Attributes().AsRaw()
	maps.DeleteFunc(want, func(key string, _ any) bool { return strings.HasPrefix(key, "gen_ai_guardrail.") })
	if isInvocation {
		for key, value := range map[string]string{
			"gen_ai_guardrail.verdict":   s.Verdict,
			"gen_ai_guardrail.evidence":  s.Evidence,
			"gen_ai_guardrail.principal": s.Principal,
			"user.id":                    s.User,
			"cloud.account.id":           s.Account,
			"cloud.region":               s.Region,
			"gen_ai.request.model":       s.Model,
			"rpc.method":                 s.Operation,
			"aws.request_id":             s.RequestID,
		} {
			if value != "" {
				want[key] = value
			}
		}
		var ids []any
		for _, guardrail := range s.Guardrails {
			ids = append(ids, guardrail.ID)
		}
		if ids != nil {
			want["gen_ai_guardrail.guardrail_ids"] = ids
		}
		if s.Intervened {
			want["gen_ai_guardrail.intervened"] = true
		}
	}
	annotated := got.Attributes().AsRaw()
	_, partitioned := annotated["gen_ai_guardrail.partition"]
	assert.Equal(t, isInvocation && s.Principal != "", partitioned, name)
	delete(annotated, "gen_ai_guardrail.partition")
	_, identified := annotated["gen_ai_guardrail.id"]
	assert.Equal(t, isInvocation && s.RequestID == "", identified, name)
	delete(annotated, "gen_ai_guardrail.id")
	assert.Equal(t, want, annotated, name)
	assert.Equal(t, sent.Body().AsRaw(), got.Body().AsRaw(), name)
	when := sent.Timestamp()
	if stated := pcommon.NewTimestampFromTime(s.Time); isInvocation && s.Time.Unix() > 0 && stated != sent.ObservedTimestamp() {
		when = stated
	}
	assert.Equal(t, when, got.Timestamp(), name)
}
