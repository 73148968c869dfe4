// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/settings"
)

func judgeOf(config *settings.Config) *Judge {
	logs, spans := engine.Readers(config)
	return &Judge{Logs: logs, Spans: spans, Rules: engine.OfflineRules(config)}
}

// record is an unguarded call.
func record(n int) string {
	return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","timestamp":"2026-03-14T09:00:%02dZ","accountId":"111122223333","region":"us-east-1",`+
		`"requestId":"request-%d","operation":"InvokeModel","modelId":"amazon.nova-lite-v1:0","identity":{"arn":"arn:aws:iam::111122223333:user/otter"},`+
		`"output":{"outputBodyJson":{"text":"yes"}}}`, n, n)
}

func judged(texts ...string) *Worker {
	w := judgeOf(settings.Default()).NewWorker()
	w.Texts(join(texts...))
	return w
}

func join(texts ...string) (joined Texts) {
	for _, text := range texts {
		joined.All += text
		joined.Ends = append(joined.Ends, len(joined.All))
	}
	return joined
}

func counts(t *analysis.Tally) (kinds analysis.Kinds) {
	for _, p := range t.Profiles {
		kinds.Add(&p.Kinds)
	}
	return kinds
}

// A collector sees one record there and cannot judge it; a file can be read again.
func TestRecordsThatArriveTogetherAreJudgedOneByOne(t *testing.T) {
	quoted := func(text string) string { return fmt.Sprintf("%q", text) }
	three := []string{record(1), record(2), record(3)}
	array := "[" + strings.Join(three, ",") + "]"
	event := func(i int) string { return fmt.Sprintf(`{"id":"%d","timestamp":1,"message":%s}`, i, quoted(three[i])) }
	events := event(0) + "," + event(1) + "," + event(2)
	for name, text := range map[string]string{
		"array":               array,
		"on one line":         strings.Join(three, ""),
		"joined lines":        strings.Join(three, "\n"),
		"subscription":        `{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"bedrock","logEvents":[` + events + `]}`,
		"command line":        `{"events":[` + events + `]}`,
		"array in a member":   `{"message":` + quoted(array) + `}`,
		"behind a header":     "2026-03-14T09:00:00Z " + array,
		"array of arrays":     "[" + array + "]",
		"subscription in one": `{"message":` + quoted(`{"messageType":"DATA_MESSAGE","logEvents":[`+events+`]}`) + `}`,
		"OTLP":                `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":` + quoted(array) + `}}]}]}]}`,
		"OTLP list":           `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[{"stringValue":` + quoted(three[0]) + `},{"stringValue":` + quoted(three[1]) + `},{"stringValue":` + quoted(three[2]) + `}]}}}]}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := judged(text)
			assert.EqualValues(t, 3, w.Tally.Invocations)
			kinds := counts(w.Tally)
			assert.EqualValues(t, 3, kinds.Counts().Unguarded)
			assert.EqualValues(t, 1, w.Tally.Wrappers)
			assert.EqualValues(t, 3, w.Tally.Split)
			assert.Equal(t, 3, w.Facts.Len())
		})
	}
}

func TestASingleRecordInAWrapperIsNoList(t *testing.T) {
	w := judged(`{"messageType":"DATA_MESSAGE","logEvents":[{"message":`+fmt.Sprintf("%q", record(1))+`}]}`, "2026-03-14T09:00:00Z "+record(2), "["+record(3)+"]")
	assert.EqualValues(t, 3, w.Tally.Invocations)
	assert.Zero(t, w.Tally.Wrappers)
}

func TestWhatIsNoInvocationIsOnlyCounted(t *testing.T) {
	w := judged("Permissions are correctly set", `{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"x"}]}`, `{"a":1}`, "[1,2]", `{"resourceLogs":"broken"}`)
	assert.EqualValues(t, 5, w.Tally.Records)
	assert.Zero(t, w.Tally.Invocations)
	assert.Zero(t, w.Facts.Len())
}

func TestCallsOutsideOfTheTimeAreLeftOut(t *testing.T) {
	j := judgeOf(settings.Default())
	j.From, j.To = time.Date(2026, 3, 14, 9, 0, 2, 0, time.UTC), time.Date(2026, 3, 14, 9, 0, 4, 0, time.UTC)
	w := j.NewWorker()
	w.Texts(join(record(1), record(2), record(3), record(4), strings.Replace(record(5), `"timestamp"`, `"time"`, 1)))
	assert.EqualValues(t, 2, w.Tally.Invocations)
	assert.EqualValues(t, 3, w.Tally.Outside)
}

func TestWhatARuleExcludesIsCountedByReason(t *testing.T) {
	w := judged(strings.Replace(record(1), `"arn"`, `"name"`, 1), strings.Replace(record(2), `"timestamp"`, `"time"`, 1))
	assert.Equal(t, map[string]int64{"no_group": 1, "no_time": 1}, w.Tally.Excluded[0])
}

// A record of thousands, parsed already, must not take minutes: twice as many records take about twice as much.
func TestRecordsThatArriveTogetherAreNotCopiedForEach(t *testing.T) {
	member := func(name, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, name, value)
	}
	allocs := func(n int) float64 {
		var elements []string
		for i := range n {
			elements = append(elements, `{"kvlistValue":{"values":[`+member("schemaType", "ModelInvocationLog")+","+member("requestId", strconv.Itoa(i))+","+
				member("operation", "InvokeModel")+","+member("modelId", "amazon.nova-lite-v1:0")+`]}}`)
		}
		text := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[` + strings.Join(elements, ",") + `]}}}]}]}]}`
		w := judged(text)
		assert.EqualValues(t, n, w.Tally.Split)
		return testing.AllocsPerRun(1, func() { w.Texts(join(text)) })
	}
	assert.Less(t, allocs(400), 3*allocs(200))
}
