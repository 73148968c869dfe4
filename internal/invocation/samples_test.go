// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

const samplesFolder = "../../testdata/invocations"

// A sample is a record and the invocation that it must be read as.
type sample struct {
	File    string        `json:"file"`
	Note    string        `json:"note"`
	Options sampleOptions `json:"options"`

	Verdict    string `json:"verdict"`
	Evidence   string `json:"evidence"`
	Guardrails []struct {
		ID      string `json:"id"`
		Version string `json:"version"`
	} `json:"guardrails"`
	User      string    `json:"user"`
	Principal string    `json:"principal"`
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	Model     string    `json:"model"`
	Operation string    `json:"operation"`
	RequestID string    `json:"request_id"`
	Time      time.Time `json:"time"`

	Intervened bool `json:"intervened"`

	text string // content of the file
}

// sampleOptions holds the settings that differ from the defaults.
type sampleOptions struct {
	SilentScopes       []string `json:"silent_scopes"`
	ApprovedGuardrails []string `json:"approved_guardrails"`
	AssumeGuarded      []struct {
		User, Principal, Account, Region, Model, Operation string
		Until                                              time.Time
	} `json:"assume_guarded"`
}

func (o sampleOptions) options() invocation.Options {
	options := invocation.Options{
		GuardrailKeys: []string{
			"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id",
			"gen_ai.guardrail.policy.id",
		},
		UserKeys:           []string{"user.id", "enduser.id", "enduser.pseudo.id", "gen_ai.request.user", "service.name"},
		Providers:          []string{"aws.bedrock", "bedrock", "amazon.bedrock", "bedrock.converse", "aws"},
		SilentScopes:       o.SilentScopes,
		ApprovedGuardrails: o.ApprovedGuardrails,
		UnguardableModels:  optionSets[0].UnguardableModels,
	}
	for _, p := range o.AssumeGuarded {
		options.AssumeGuarded = append(options.AssumeGuarded, invocation.Pattern(p))
	}
	return options
}

func (s sample) otlp() bool { return strings.HasSuffix(s.File, ".otlp.json") }

// parsable reports whether the file holds a record that pipelines can parse.
func (s sample) parsable() bool { return strings.HasSuffix(s.File, ".json") && !s.otlp() }

// want returns the expected invocation.
func (s sample) want() invocation.Invocation {
	want := invocation.Invocation{
		User: s.User, Principal: s.Principal, Account: s.Account, Region: s.Region, Model: s.Model, Operation: s.Operation,
		RequestID: s.RequestID, Time: s.Time.UnixNano(), Intervened: s.Intervened,
	}
	for _, kind := range invocation.Kinds() {
		if kind.Verdict.String() == s.Verdict && kind.Evidence.String() == s.Evidence {
			want.Kind = kind
		}
	}
	for _, g := range s.Guardrails {
		want.Guardrails = append(want.Guardrails, invocation.Guardrail{ID: g.ID, Version: g.Version})
	}
	return want
}

// logs returns the record in the form of the file.
func (s sample) logs(t testing.TB) plog.Logs {
	if !s.otlp() {
		return logsOf(s.text)
	}
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(s.text))
	require.NoError(t, err, s.File)
	return logs
}

// forms returns the record in all forms in which it may arrive, by name.
func (s sample) forms(t testing.TB) map[string]plog.Logs {
	forms := map[string]plog.Logs{"as in the file": s.logs(t)}
	if s.otlp() {
		return forms
	}
	form := func(name string, build func(plog.LogRecord)) {
		logs := logsOf("")
		_, _, log := only(logs)
		build(log)
		forms[name] = logs
	}
	form("bytes", func(log plog.LogRecord) { log.Body().SetEmptyBytes().FromRaw([]byte(s.text)) })
	form("after a byte order mark", func(log plog.LogRecord) {
		log.Body().SetStr("\ufeff\n" + strings.TrimPrefix(s.text, "\ufeff"))
	})
	if !s.parsable() {
		return forms
	}
	whole, err := parseTree(s.text)
	require.NoError(t, err, s.File)
	dotted, shallow := &node{kind: object}, &node{kind: object}
	for _, f := range whole.fields {
		if f.key != "identity" && f.key != "input" && f.key != "output" || f.value.kind != object {
			dotted.fields = append(dotted.fields, f)
			shallow.fields = append(shallow.fields, f)
			continue
		}
		for _, part := range f.value.fields {
			dotted.fields = append(dotted.fields, field{key: f.key + "." + part.key, value: part.value})
		}
		shallow.fields = append(shallow.fields, field{key: f.key, value: &node{kind: text, text: f.value.json()}})
	}
	for name, record := range map[string]*node{"": whole, " with dotted names": dotted, " of one level": shallow} {
		form("a map"+name, func(log plog.LogRecord) { record.put(log.Body()) })
		form("attributes"+name, func(log plog.LogRecord) {
			body := pcommon.NewValueEmpty()
			record.put(body)
			body.Map().CopyTo(log.Attributes())
		})
	}
	return forms
}

// put writes a tree to a pdata value.
func (n *node) put(to pcommon.Value) {
	switch n.kind {
	case truth:
		to.SetBool(n.yes)
	case number:
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			to.SetInt(i)
		} else {
			to.SetDouble(n.number)
		}
	case text:
		to.SetStr(n.text)
	case object:
		m := to.SetEmptyMap()
		for _, f := range n.fields {
			f.value.put(m.PutEmpty(f.key))
		}
	case list:
		s := to.SetEmptySlice()
		for _, item := range n.items {
			item.put(s.AppendEmpty())
		}
	default:
	}
}

// json returns a tree as JSON.
func (n *node) json() string {
	quoted := func(s string) string {
		raw, _ := json.Marshal(s)
		return string(raw)
	}
	var parts []string
	switch n.kind {
	case truth:
		return strconv.FormatBool(n.yes)
	case number:
		return n.text
	case text:
		return quoted(n.text)
	case object:
		for _, f := range n.fields {
			parts = append(parts, quoted(f.key)+":"+f.value.json())
		}
		return "{" + strings.Join(parts, ",") + "}"
	case list:
		for _, item := range n.items {
			parts = append(parts, item.json())
		}
		return "[" + strings.Join(parts, ",") + "]"
	default:
		return "null"
	}
}

func samples(t testing.TB) []sample {
	raw, err := os.ReadFile(filepath.Join(samplesFolder, "expected.json"))
	require.NoError(t, err)
	var all []sample
	require.NoError(t, json.Unmarshal(raw, &all))
	for i := range all {
		text, err := os.ReadFile(filepath.Join(samplesFolder, all[i].File))
		require.NoError(t, err)
		all[i].text = string(text)
	}
	return all
}

func TestSamples(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.File, func(t *testing.T) {
			for form, logs := range s.forms(t) {
				want := s.want()
				got, isOne := readReference(logs, s.Options.options())
				require.Equal(t, s.Verdict != "not_invocation", isOne, "the reference, %s", form)
				if isOne {
					want.TimeSource = got.TimeSource
					require.Equal(t, want, got, "the reference, %s: %s", form, s.Note)
				}
				what := difference(logs, s.Options.options(), &invocation.Invocation{})
				assert.Empty(t, what, "%s: %s\n%s", form, s.Note, explain(logs, s.Options.options()))
			}
		})
	}
}

// TestSamplesAreComplete finds files without an expectation, and kinds of verdict without
// a sample.
func TestSamplesAreComplete(t *testing.T) {
	files, kinds := map[string]bool{}, map[string]bool{}
	for _, s := range samples(t) {
		files[s.File] = true
		kinds[s.Verdict+"/"+s.Evidence] = true
	}
	entries, err := os.ReadDir(samplesFolder)
	require.NoError(t, err)
	for _, entry := range entries {
		if name := entry.Name(); name != "README.md" && name != "expected.json" {
			assert.True(t, files[name], "%s is not in expected.json", name)
		}
	}
	for _, kind := range invocation.Kinds() {
		assert.True(t, kinds[kind.String()], "no sample is %s", kind)
	}
}

// A stated time must be distinguishable from a time of observation.
func TestTimeSource(t *testing.T) {
	const body = `{"schemaType":"ModelInvocationLog","timestamp":%q}`
	for _, c := range []struct {
		timestamp      string
		time, observed pcommon.Timestamp
		want           int64
		source         invocation.TimeSource
	}{
		{"1970-01-01T00:00:05Z", 7e9, 8e9, 5e9, invocation.StatedTime},
		{"1970-01-01T01:00:05.000000001+01:00", 7e9, 8e9, 5e9 + 1, invocation.StatedTime},
		{"1970-01-01 00:00:05.5", 7e9, 8e9, 5e9 + 5e8, invocation.StatedTime},
		{"yesterday", 7e9, 8e9, 7e9, invocation.StatedTime},
		{"", 7e9, 8e9, 7e9, invocation.StatedTime},
		{"", 0, 8e9, 8e9, invocation.ObservedTime},
		{"", 0, 0, 0, invocation.NoTime},
	} {
		logs := logsOf(strings.Replace(body, "%q", `"`+c.timestamp+`"`, 1))
		resource, scope, log := only(logs)
		log.SetTimestamp(c.time)
		log.SetObservedTimestamp(c.observed)
		var got invocation.Invocation
		require.True(t, readOne(readerOf(optionSets[0]), resource, scope, log, &got))
		assert.Equal(t, c.want, got.Time, c.timestamp)
		assert.Equal(t, c.source, got.TimeSource, c.timestamp)
	}
}
