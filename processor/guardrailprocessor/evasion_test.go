// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

const (
	repository    = "../.."
	evasionFolder = "testdata/evasion"

	// secret stands for what people ask models and what models answer. It must never leave the record it came in.
	secret = "the spare key hangs behind the third barometer"

	noInvocation = "none" // in a scenario: the verdict of a record that is no invocation
)

// powers are the folders of the scenarios: what an attacker must be able to do.
var powers = []string{"caller", "session", "identities", "owner", "telemetry", "logwriter", "logging"}

// scenario is a file of testdata/evasion; the README there explains its fields.
type scenario struct {
	Title      string    `mapstructure:"title"`
	Needs      string    `mapstructure:"needs"`
	Aim        string    `mapstructure:"aim"`
	Attack     string    `mapstructure:"attack"`
	Records    []entry   `mapstructure:"records"`
	Outcomes   []outcome `mapstructure:"outcomes"`
	AnsweredBy string    `mapstructure:"answered_by"`
	Open       string    `mapstructure:"open"`

	file string // from the root of the repository
}

// outcome is what the records come to with some settings, in the first outcome with none.
type outcome struct {
	Settings map[string]any `mapstructure:"settings"`
	Edge     bool           `mapstructure:"edge"`
	Verdicts []string       `mapstructure:"verdicts"`
	Alerts   []alertWanted  `mapstructure:"alerts"`
}

type alertWanted struct {
	Rule     string `mapstructure:"rule"`
	Count    int64  `mapstructure:"count"`
	Presumed *int64 `mapstructure:"presumed"`
	Group    string `mapstructure:"group"`
	Text     string `mapstructure:"text"`
}

func TestEvasion(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(strings.TrimPrefix(s.file, evasionFolder+"/"), func(t *testing.T) {
			t.Parallel()
			s.check(t)
			for i, o := range s.Outcomes {
				for _, w := range ways {
					if w.name == "parsed" && !slices.ContainsFunc(s.Records, func(e entry) bool { return e.Bedrock != nil }) {
						continue // as "text"
					}
					t.Run(fmt.Sprintf("outcome %d/%s", i+1, w.name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { s.play(t, o, w) })
					})
				}
			}
		})
	}
}

// Whoever names guardrails by the thousand must not keep the detector busy, nor get another verdict. Separate from the
// scenarios, whose clock stands still.
func TestEvasionByThousandsOfGuardrails(t *testing.T) {
	took := func(guardrails int) time.Duration {
		ids := make([]any, guardrails)
		for i := range ids {
			ids[i] = fmt.Sprintf("g%011d", i)
		}
		e := entry{Inference: map[string]any{"aws.bedrock.guardrail.id": ids}}
		one := plog.NewLogs()
		e.write(t, one.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), writer{t: t, n: 1}, ways[0])
		sink := &consumertest.LogsSink{}
		p := startProcessor(t, processortest.NewNopSettings(metadata.Type), map[string]any{"annotate": true}, sink)
		fastest := time.Hour
		for range 3 {
			began := time.Now()
			require.NoError(t, p.ConsumeLogs(t.Context(), one))
			fastest = min(fastest, time.Since(began))
		}
		require.NoError(t, p.Shutdown(t.Context()))
		for _, logs := range sink.AllLogs() {
			assert.Equal(t, "guarded/claimed", annotation(only(logs)))
		}
		return fastest
	}
	few, many := took(1_000), took(50_000)
	// Fifty times as many take a hundred times as long, with a search among no more than a thousand; without that limit, 2,500 times.
	assert.Less(t, many, 600*few, "%s for 50,000 guardrails, %s for 1,000", many, few)
}

func scenarios(t *testing.T) (all []*scenario) {
	t.Helper()
	for _, power := range powers {
		files, err := filepath.Glob(filepath.Join(repository, evasionFolder, power, "*.yaml"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s := &scenario{file: strings.Join([]string{evasionFolder, power, filepath.Base(file)}, "/")}
			require.NoError(t, readYAML(t, string(text)).Unmarshal(s), s.file)
			all = append(all, s)
		}
	}
	files, err := filepath.Glob(filepath.Join(repository, evasionFolder, "*", "*"))
	require.NoError(t, err)
	require.Len(t, all, len(files), "a file in none of the folders %v, or no .yaml file", powers)
	return all
}

func readYAML(t *testing.T, text string) *confmap.Conf {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err, text)
	return conf
}

// check verifies that a scenario states everything that it must.
func (s *scenario) check(t *testing.T) {
	assert.Equal(t, strings.Split(s.file, "/")[2], s.Needs, "the folder says what the attack needs")
	assert.Contains(t, []string{"", "frame"}, s.Aim)
	for name, text := range map[string]string{"title": s.Title, "attack": s.Attack, "an answer": s.AnsweredBy + s.Open} {
		assert.NotEmpty(t, text, name)
	}
	require.NotEmpty(t, s.Outcomes)
	assert.Empty(t, s.Outcomes[0].Settings, "the first outcome is that of the defaults")
	if s.Open == "" && s.Aim == "" {
		assert.True(t, slices.ContainsFunc(s.Outcomes, func(o outcome) bool { return len(o.Alerts) > 0 }),
			"what is answered alerts with some settings")
	}
	for i := range s.Records {
		assert.NotEmpty(t, s.Records[i].Verdict, "records[%d]", i)
	}
}

// checkPlanted makes sure that there is a secret to look for.
func (s *scenario) checkPlanted(t *testing.T, records []written) {
	t.Helper()
	planted := slices.ContainsFunc(records, func(r written) bool {
		return strings.Contains(asJSON(t, r.logs), secret) ||
			only(r.logs).Body().Type() == pcommon.ValueTypeBytes && strings.Contains(string(only(r.logs).Body().Bytes().AsRaw()), secret)
	})
	assert.True(t, planted || len(records) == 0, "one text of a record is {{secret}}")
}

// way is one of the ways in which the same records may arrive and be looked at.
type way struct {
	name     string
	annotate bool
	single   bool // each record in a call of its own
	carry    func(body pcommon.Value, text string)
}

var ways = []way{
	{name: "text", annotate: true, carry: func(body pcommon.Value, text string) { body.SetStr(text) }},
	{name: "bytes", single: true, carry: func(body pcommon.Value, text string) { body.SetEmptyBytes().FromRaw([]byte(text)) }},
	{name: "parsed", annotate: true, carry: func(body pcommon.Value, text string) {
		var parsed map[string]any
		if json.Unmarshal([]byte(text), &parsed) != nil || body.FromRaw(parsed) != nil {
			body.SetStr(text) // as a pipeline leaves what it cannot parse
		}
	}},
}

// play sends the records through a processor with the settings and looks at all that comes out.
func (s *scenario) play(t *testing.T, o outcome, w way) {
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	time.Sleep(time.Until(noon))
	annotate := w.annotate && o.Settings["trust_annotations"] != true
	annotated := annotate || o.Edge

	telemetry := componenttest.NewTelemetry()
	core, logged := observer.New(zap.DebugLevel)
	settings := processortest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	given := map[string]any{"annotate": annotate}
	maps.Copy(given, o.Settings)
	sink := &consumertest.LogsSink{}
	detector := startProcessor(t, settings, given, sink)
	first := detector
	if o.Edge {
		settings.TelemetrySettings = componenttest.NewNopTelemetrySettings()
		settings.Logger = zap.New(core)
		first = startProcessor(t, settings, map[string]any{"annotate": true, "rules": []any{}}, detector)
	}

	records := s.write(t, noon, w)
	s.checkPlanted(t, records)
	batch := plog.NewLogs()
	for i, r := range records {
		r.logs.ResourceLogs().At(0).CopyTo(batch.ResourceLogs().AppendEmpty())
		if w.single || i+1 == len(records) || !records[i+1].arrives.Equal(r.arrives) {
			time.Sleep(time.Until(r.arrives))
			require.NoError(t, first.ConsumeLogs(t.Context(), batch))
			batch = plog.NewLogs()
		}
	}
	require.NoError(t, first.Shutdown(t.Context()))
	require.NoError(t, detector.Shutdown(t.Context()))

	passed, alerts := split(sink.AllLogs())
	require.Len(t, passed, len(records))
	tally := map[string]int64{}
	var want, got []string
	for i, r := range records {
		verdict := s.Records[r.entry].Verdict
		if len(o.Verdicts) > 0 {
			verdict = o.Verdicts[min(r.entry, len(o.Verdicts)-1)]
		}
		if verdict != noInvocation {
			tally[verdict]++
		}
		if annotated && verdict != noInvocation {
			entry := fmt.Sprintf("records[%d]: ", r.entry)
			want, got = append(want, entry+verdict), append(got, entry+annotation(only(passed[i])))
		}
		switch {
		case !annotated:
			assert.Equal(t, asJSON(t, r.logs), asJSON(t, passed[i]), "passes untouched")
		case verdict == noInvocation:
			assert.Equal(t, asJSON(t, stripped(r.logs)), asJSON(t, passed[i]), "passes untouched except for annotations")
		default:
			checkAnnotated(t, only(r.logs), only(passed[i]))
		}
	}
	assert.Equal(t, slices.Compact(want), slices.Compact(got), "the verdicts as annotated")
	assert.Equal(t, tally, invocations(telemetry), "the verdicts as counted by the metric")
	checkAlerts(t, o.Alerts, alerts)
	for _, line := range logged.All() {
		assert.NotContains(t, fmt.Sprint(line.Message, line.ContextMap()), secret)
	}
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func startProcessor(t *testing.T, settings processor.Settings, given map[string]any, next consumer.Logs) processor.Logs {
	t.Helper()
	factory := guardrailprocessor.NewFactory()
	p, err := factory.CreateLogs(t.Context(), settings, decodeSettings(t, factory.CreateDefaultConfig(), given), next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	return p
}

func decodeSettings(t *testing.T, config component.Config, given map[string]any) component.Config {
	t.Helper()
	require.NoError(t, confmap.NewFromStringMap(given).Unmarshal(&config))
	require.NoError(t, confmap.Validate(config))
	return config
}

// split parts the records that passed, each as logs of its own, from the processor's alerts.
func split(batches []plog.Logs) (passed []plog.Logs, alerts []plog.LogRecord) {
	for _, batch := range batches {
		for _, resource := range batch.ResourceLogs().All() {
			if scope := resource.ScopeLogs().At(0); scope.Scope().Name() == metadata.ScopeName {
				for _, record := range scope.LogRecords().All() {
					alerts = append(alerts, record)
				}
				continue
			}
			one := plog.NewLogs()
			resource.CopyTo(one.ResourceLogs().AppendEmpty())
			passed = append(passed, one)
		}
	}
	return passed, alerts
}

func only(logs plog.Logs) plog.LogRecord {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// annotation returns the verdict and evidence that a record is annotated with.
func annotation(record plog.LogRecord) string {
	verdict, ok := record.Attributes().Get("gen_ai_guardrail.verdict")
	if evidence, found := record.Attributes().Get("gen_ai_guardrail.evidence"); ok && found {
		return verdict.Str() + "/" + evidence.Str()
	}
	return noInvocation
}

// stripped returns a record that is not an invocation as it leaves a collector that annotates: without the annotations
// that it arrived with, unless it has the name of an alert.
func stripped(sent plog.Logs) plog.Logs {
	if only(sent).EventName() != "gen_ai_guardrail.alert" {
		only(sent).Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return strings.HasPrefix(key, "gen_ai_guardrail.") })
	}
	return sent
}

func checkAnnotated(t *testing.T, before, after plog.LogRecord) {
	t.Helper()
	assert.True(t, before.Body().Equal(after.Body()), "the body stays as it is")
	for key, value := range after.Attributes().All() {
		if was, ok := before.Attributes().Get(key); !ok || !was.Equal(value) {
			assert.NotContains(t, value.AsString(), secret, key)
		}
	}
}

func checkAlerts(t *testing.T, wanted []alertWanted, records []plog.LogRecord) {
	t.Helper()
	type opened struct {
		Rule, Group, Text string
		Count, Presumed   int64
	}
	var got, want []opened
	for _, record := range records {
		attributes := record.Attributes().AsRaw()
		assert.NotContains(t, fmt.Sprint(record.Body().AsString(), attributes), secret)
		if attributes["gen_ai_guardrail.alert.state"] == "open" {
			got = append(got, opened{
				Rule:     attributes["gen_ai_guardrail.rule.id"].(string),
				Group:    attributes["gen_ai_guardrail.group"].(string),
				Text:     record.Body().Str(),
				Count:    attributes["gen_ai_guardrail.count"].(int64),
				Presumed: attributes["gen_ai_guardrail.count_presumed"].(int64),
			})
		}
	}
	slices.SortStableFunc(got, func(a, b opened) int { return cmp.Compare(a.Rule, b.Rule) })
	for i, w := range wanted {
		one := opened{Rule: cmp.Or(w.Rule, "unguarded_invocations"), Count: w.Count}
		if i < len(got) { // fields that the scenario does not state are not compared
			one.Group, one.Text, one.Presumed = cmp.Or(w.Group, got[i].Group), cmp.Or(w.Text, got[i].Text), got[i].Presumed
		}
		if w.Presumed != nil {
			one.Presumed = *w.Presumed
		}
		want = append(want, one)
	}
	assert.Equal(t, want, got, "alerts")
}

// invocations reads the metric that counts what was judged how.
func invocations(telemetry *componenttest.Telemetry) map[string]int64 {
	tally := map[string]int64{}
	metric, err := telemetry.GetMetric("otelcol_processor_gen_ai_guardrail_invocations")
	if err != nil { // nothing was counted
		return tally
	}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		verdict, _ := point.Attributes.Value("verdict")
		evidence, _ := point.Attributes.Value("evidence")
		tally[verdict.AsString()+"/"+evidence.AsString()] += point.Value
	}
	return tally
}

func asJSON(t *testing.T, logs plog.Logs) string {
	t.Helper()
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(text)
}
