// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// leftOut, in a scenario, leaves a field out that is there otherwise.
const leftOut = "left out"

// entry is a run of records that differ in their request ids and times.
type entry struct {
	Times   int            `mapstructure:"times"`
	Start   string         `mapstructure:"start"`
	At      *time.Duration `mapstructure:"at"`
	Every   *time.Duration `mapstructure:"every"`
	Arrives *time.Duration `mapstructure:"arrives"`
	Undated bool           `mapstructure:"undated"`
	Untimed bool           `mapstructure:"untimed"`
	Verdict string         `mapstructure:"verdict"`

	Bedrock   *bedrockRecord `mapstructure:"bedrock"`
	Inference map[string]any `mapstructure:"inference"`

	Body       any            `mapstructure:"body"`
	EventName  string         `mapstructure:"event_name"`
	Scope      string         `mapstructure:"scope"`
	Attributes map[string]any `mapstructure:"attributes"`
	Resource   map[string]any `mapstructure:"resource"`
}

// bedrockRecord is a record of the service, of which a scenario states only what matters.
type bedrockRecord struct {
	Operation string `mapstructure:"operation"`
	Model     string `mapstructure:"model"`
	User      string `mapstructure:"user"`
	Account   string `mapstructure:"account"`
	Region    string `mapstructure:"region"`
	RequestID string `mapstructure:"request_id"`
	Input     string `mapstructure:"input"`
	Output    string `mapstructure:"output"`
	More      string `mapstructure:"more"`
	Newer     bool   `mapstructure:"newer"`
	CutAfter  string `mapstructure:"cut_after"`
	Before    string `mapstructure:"before"`
	Unparsed  bool   `mapstructure:"unparsed"`
}

// written is a record of a scenario, as logs of its own.
type written struct {
	logs    plog.Logs
	entry   int
	arrives time.Time
}

// write makes the records of a scenario that begins at noon.
func (s *scenario) write(t *testing.T, noon time.Time, w way) (records []written) {
	t.Helper()
	next, arrives := noon, noon.Add(10*time.Minute)
	for i := range s.Records {
		e := &s.Records[i]
		switch {
		case e.Start != "":
			start, err := time.Parse(time.RFC3339Nano, e.Start)
			require.NoError(t, err)
			next = start
		case e.At != nil:
			next = noon.Add(*e.At)
		}
		if e.Arrives != nil {
			arrives = noon.Add(*e.Arrives)
		}
		every := 5 * time.Second
		if e.Every != nil {
			every = *e.Every
		}
		for n := range max(1, e.Times) {
			text := writer{t: t, n: n + 1, serial: len(records) + 1, time: next}
			logs := plog.NewLogs()
			resource := logs.ResourceLogs().AppendEmpty()
			require.NoError(t, resource.Resource().Attributes().FromRaw(text.fields(e.Resource)))
			scope := resource.ScopeLogs().AppendEmpty()
			scope.Scope().SetName(e.Scope)
			record := scope.LogRecords().AppendEmpty()
			if !e.Untimed {
				record.SetObservedTimestamp(pcommon.NewTimestampFromTime(arrives.Add(time.Duration(n) * time.Millisecond)))
			}
			if e.Bedrock == nil && !e.Undated && !e.Untimed {
				record.SetTimestamp(pcommon.NewTimestampFromTime(next))
			}
			e.write(t, record, text, w)
			records = append(records, written{logs, i, arrives})
			next = next.Add(every)
		}
	}
	return records
}

func (e *entry) write(t *testing.T, record plog.LogRecord, text writer, w way) {
	t.Helper()
	record.SetEventName(e.EventName)
	attributes := map[string]any{}
	switch {
	case e.Bedrock != nil:
		carry := w.carry
		if e.Bedrock.Unparsed && w.name == "parsed" {
			carry = ways[0].carry
		}
		carry(record.Body(), e.Bedrock.write(text))
	case e.Inference != nil:
		if e.EventName == "" {
			record.SetEventName("gen_ai.client.inference.operation.details")
		}
		attributes = map[string]any{
			"gen_ai.operation.name":  "chat",
			"gen_ai.provider.name":   "aws.bedrock",
			"gen_ai.request.model":   "amazon.nova-lite-v1:0",
			"gen_ai.response.id":     "{{id}}",
			"gen_ai.input.messages":  "{{secret}}",
			"gen_ai.output.messages": "{{secret}}",
			"user.id":                "tern",
			"cloud.account.id":       "111122223333",
		}
		maps.Copy(attributes, e.Inference)
	case e.Body != nil:
		require.NoError(t, record.Body().FromRaw(text.fill(e.Body)))
	}
	maps.Copy(attributes, e.Attributes)
	filled := text.fields(attributes)
	for _, key := range slices.Sorted(maps.Keys(filled)) { // the same order each time, as of a sender
		require.NoError(t, record.Attributes().PutEmpty(key).FromRaw(filled[key]))
	}
}

// write returns the record as the service would write it.
func (b *bedrockRecord) write(text writer) string {
	field := func(name, given, otherwise string) string {
		value, err := json.Marshal(text.render(cmp.Or(given, otherwise)))
		require.NoError(text.t, err)
		return `"` + name + `":` + string(value)
	}
	operation := cmp.Or(b.Operation, "InvokeModel")
	family := strings.TrimSuffix(operation, "Stream") // Converse and ConverseStream are logged alike
	if _, ok := usualBodies[family]; !ok {
		family = "Converse"
	}
	body := func(name, given, otherwise string) string {
		switch given {
		case leftOut:
			return `"` + name + `":{"` + name + `ContentType":"application/json","` + name + `TokenCount":12}`
		case "s3":
			return `"` + name + `":{"` + name + `ContentType":"application/json","` + name +
				`BodyS3Path":"s3://example-logs/data/` + text.id() + `_` + name + `.json.gz","` + name + `TokenCount":91234}`
		}
		return `"` + name + `":{"` + name + `ContentType":"application/json","` + name + `BodyJson":` +
			text.render(cmp.Or(given, otherwise)) + `,"` + name + `TokenCount":12}`
	}
	schema := `"schemaType":"ModelInvocationLog","schemaVersion":"1.0"`
	identity := `"identity":{` + field("arn", b.User, "arn:aws:iam::111122223333:user/quarry-tester") + `}`
	var fields []string
	if !b.Newer {
		fields = append(fields, schema)
	}
	fields = append(fields, field("timestamp", text.when(), ""), field("accountId", b.Account, "111122223333"))
	if !b.Newer {
		fields = append(fields, identity)
	}
	fields = append(fields,
		field("region", b.Region, "us-east-1"),
		field("requestId", b.RequestID, "{{id}}"),
		field("operation", operation, ""),
		field("modelId", b.Model, "anthropic.claude-3-haiku-20240307-v1:0"),
		body("input", b.Input, usualBodies[family].input),
		body("output", b.Output, usualBodies[family].output))
	if b.More != "" {
		fields = append(fields, text.render(b.More))
	}
	if b.Newer {
		fields = append(fields, identity, schema)
	}
	record := "{" + strings.Join(fields, ",") + "}"
	if b.CutAfter != "" {
		kept, _, found := strings.Cut(record, b.CutAfter)
		require.True(text.t, found, "cut_after %q", b.CutAfter)
		record = kept + b.CutAfter
	}
	return text.render(b.Before) + record
}

// usualBodies are those of calls without a guardrail.
var usualBodies = map[string]struct{ input, output string }{
	"InvokeModel": {
		input:  `{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"{{secret}}"}]}`,
		output: `{"type":"message","role":"assistant","content":[{"type":"text","text":"{{secret}}"}],"stop_reason":"end_turn"}`,
	},
	"InvokeModelWithResponse": {
		input: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"{{secret}}"}]}`,
		output: `[{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{secret}}"}},` +
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"}},{"type":"message_stop"}]`,
	},
	"Converse": {
		input:  `{"messages":[{"role":"user","content":[{"text":"{{secret}}"}]}]}`,
		output: `{"output":{"message":{"role":"assistant","content":[{"text":"{{secret}}"}]}},"stopReason":"end_turn"}`,
	},
}

// writer fills the placeholders of a scenario's texts for one record.
type writer struct {
	t         *testing.T
	n, serial int
	time      time.Time
}

func (w writer) when() string { return w.time.Format(time.RFC3339Nano) }
func (w writer) id() string   { return fmt.Sprintf("0d4c2b1a-0000-4000-8000-%012d", w.serial) }

func (w writer) render(text string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	parsed, err := template.New("").Funcs(template.FuncMap{
		"n":      func() int { return w.n },
		"id":     w.id,
		"time":   w.when,
		"secret": func() string { return secret },
		"repeat": strings.Repeat,
	}).Parse(text)
	require.NoError(w.t, err)
	var b strings.Builder
	require.NoError(w.t, parsed.Execute(&b, nil))
	return b.String()
}

// fill renders every text in a value.
func (w writer) fill(value any) any {
	switch v := value.(type) {
	case string:
		return w.render(v)
	case map[string]any:
		return w.fields(v)
	case []any:
		filled := make([]any, len(v))
		for i := range v {
			filled[i] = w.fill(v[i])
		}
		return filled
	default:
		return value
	}
}

func (w writer) fields(given map[string]any) map[string]any {
	filled := map[string]any{}
	for key, value := range given {
		if value != leftOut {
			filled[key] = w.fill(value)
		}
	}
	return filled
}
