// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

const quickstart = "../../../../testdata/quickstart"

// call is a record with what determines when it arrives.
type call struct {
	Timestamp time.Time `json:"timestamp"`
	AccountID string    `json:"accountId"`
	RequestID string    `json:"requestId"`
	Identity  struct {
		ARN string `json:"arn"`
	} `json:"identity"`
	text string
}

// callsIn returns the records below a folder, in the order in which they happened.
func callsIn(t *testing.T, folder string) (calls []call) {
	inputs, err := source.Find([]string{folder})
	require.NoError(t, err)
	for _, in := range inputs.Files {
		var opener source.Opener
		file, err := opener.Open(in, nil, func(int) {})
		require.NoError(t, err)
		cutter := source.NewCutter(file)
		for text, ok := cutter.Next(); ok; text, ok = cutter.Next() {
			c := call{text: string(text)}
			require.NoError(t, json.Unmarshal(text, &c))
			calls = append(calls, c)
		}
		require.NoError(t, opener.Close())
	}
	slices.SortFunc(calls, func(a, b call) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(len(a.Identity.ARN), len(b.Identity.ARN)),
			cmp.Compare(a.Identity.ARN, b.Identity.ARN), cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.RequestID, b.RequestID))
	})
	return calls
}

// emitted is an alert record as text, and when it was emitted.
type emitted struct {
	state, record string
	at            time.Time
}

func emittedIn(t *testing.T, all []plog.Logs) (list []emitted) {
	for _, logs := range all {
		for _, resourceLogs := range logs.ResourceLogs().All() {
			for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
				for _, record := range scopeLogs.LogRecords().All() {
					state, _ := record.Attributes().Get("gen_ai_guardrail.alert.state")
					text, err := json.Marshal(record.Attributes().AsRaw())
					require.NoError(t, err)
					list = append(list, emitted{state.Str(), record.Body().Str() + string(text), record.Timestamp().AsTime()})
				}
			}
		}
	}
	return list
}

// moments returns calls by the moment at which they were made.
func moments(calls []call) iter.Seq2[time.Time, []string] {
	return func(yield func(time.Time, []string) bool) {
		for len(calls) > 0 {
			at := calls[0].Timestamp
			var texts []string
			for len(calls) > 0 && calls[0].Timestamp.Equal(at) {
				texts = append(texts, calls[0].text)
				calls = calls[1:]
			}
			if !yield(at, texts) {
				return
			}
		}
	}
}

// live has the processor itself read calls as they happen, on a clock of their time. Each batch holds those of a moment.
func live(t *testing.T, config *settings.Config, batches iter.Seq2[time.Time, []string]) (all []emitted) {
	synctest.Test(t, func(t *testing.T) {
		config.PassThrough = false
		next := new(consumertest.LogsSink)
		factory := guardrailprocessor.NewFactory()
		p, err := factory.CreateLogs(t.Context(), processortest.NewNopSettings(factory.Type()), config, next)
		require.NoError(t, err)
		until := func(at time.Time) { time.Sleep(time.Until(at)) }
		started := false
		for at, texts := range batches {
			if !started {
				until(at.Add(-500 * time.Millisecond)) // so that its timers run as in a backtest
				require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
				started = true
			}
			logs := plog.NewLogs()
			records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			for _, text := range texts {
				records.AppendEmpty().Body().SetStr(text)
			}
			until(at)
			require.NoError(t, p.ConsumeLogs(t.Context(), logs))
		}
		time.Sleep(2 * time.Hour)
		require.NoError(t, p.Shutdown(t.Context()))
		all = emittedIn(t, next.AllLogs())
	})
	return all
}

// assertSame checks that alert records are the same. What timers emit at one moment comes in any order.
func assertSame(t *testing.T, want, got []emitted) {
	require.Len(t, got, len(want))
	for _, w := range want {
		i := slices.IndexFunc(got, func(e emitted) bool { return e.record == w.record })
		require.GreaterOrEqual(t, i, 0, "%s %s is missing", w.state, w.record)
		assert.Equal(t, w.at, got[i].at)
		got = slices.Delete(got, i, i+1)
	}
}

// options returns those of a backtest that collects the alert records.
func options(t *testing.T, config *settings.Config, paths ...string) (*Options, *[]plog.Logs) {
	inputs, err := source.Find(paths)
	require.NoError(t, err)
	alerts := new([]plog.Logs)
	return &Options{
		Inputs: inputs, Config: config,
		OnAlert: func(logs plog.Logs) { *alerts = append(*alerts, logs) },
	}, alerts
}

func configOf(t *testing.T, text string) *settings.Config {
	var members map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &members))
	config := settings.Default()
	require.NoError(t, confmap.NewFromStringMap(members).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	return config
}

// Whoever trusts a backtest expects the alerts that the processor would have emitted, to the last attribute, when it
// would have emitted them.
func TestAlertsAreThoseOfTheProcessor(t *testing.T) {
	calls := callsIn(t, quickstart)
	var file bytes.Buffer
	for i := range calls { // in the reverse order
		file.WriteString(calls[len(calls)-1-i].text + "\n")
	}
	unordered := t.TempDir() + "/unordered.log"
	require.NoError(t, os.WriteFile(unordered, file.Bytes(), 0o600))

	for name, text := range map[string]string{
		"the built-in rule":   ``,
		"each window alone":   `{rules: [{threshold: 2, alert: {keep_alive: 0s}}]}`,
		"tumbling":            `{rules: [{window: {type: tumbling}, threshold: 1}]}`,
		"sessions":            `{rules: [{window: {type: session, size: 20s}, threshold: 3}]}`,
		"limited":             `{rules: [{threshold: 0, alert: {limit: 3}}]}`,
		"several rules":       `{rules: [{threshold: 3}, {id: broad, group_by: [cloud.account.id], window: {size: 1h}}, {id: unseen, count: [unknown, failed], threshold: 2, dry_run: true}]}`,
		"approved guardrails": `{approved_guardrails: [zzzzzzzzzzzz], rules: [{group_by: [gen_ai_guardrail.principal]}]}`,
		"interventions":       `{rules: [{after_intervention: 10m, count: [guarded, unguarded], threshold: 2}, {id: exempt, after_intervention: 1m, count: [guarded], exempt: [{operation: "Converse*"}], threshold: 1}]}`,
		"exemptions":          `{rules: [{exempt: [{account: "444455556666"}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			want := live(t, configOf(t, text), moments(calls))
			if name != "exemptions" {
				require.NotEmpty(t, want)
			}
			for _, path := range []string{quickstart, unordered} {
				o, alerts := options(t, configOf(t, text), path)
				if path == unordered {
					o.Limit = 2000 // so that temporary files are used
				}
				_, err := Run(t.Context(), o)
				require.NoError(t, err)
				got := emittedIn(t, *alerts)
				assertSame(t, want, got)
			}
		})
	}
}

func TestTheSampleLogsRaiseThreeAlerts(t *testing.T) {
	o, _ := options(t, settings.Default(), quickstart)
	result, err := Run(t.Context(), o)
	require.NoError(t, err)
	var users []string
	for _, a := range result.Report.Alerts {
		users = append(users, a.Group["user.id"][strings.LastIndexAny(a.Group["user.id"], "/:")+1:])
	}
	assert.Equal(t, []string{"exhibit-prototyper", "worker-2", "label-drafts"}, users)
}
