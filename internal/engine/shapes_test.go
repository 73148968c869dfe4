// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// shape is a kind of record that pipelines carry a lot of.
type shape struct {
	name    string
	logs    func(calls []call) plog.Logs
	size    int // of a record, in bytes
	guarded bool
}

var shapes = []shape{
	{"attributes/guarded", eventsOf, 0, true},
	{"attributes/unguarded", eventsOf, 0, false},
	{"bedrock_2KB/guarded", bedrockOf, 2_000, true},
	{"bedrock_2KB/unguarded", bedrockOf, 2_000, false},
	{"bedrock_20KB/guarded", bedrockOf, 20_000, true},
	{"bedrock_20KB/unguarded", bedrockOf, 20_000, false},
	{"bedrock_100KB/guarded", bedrockOf, 100_000, true},
	{"bedrock_100KB/unguarded", bedrockOf, 100_000, false},
	{"bedrock_20KB_quotes/guarded", quotesOf, 20_000, true},
	{"bedrock_20KB_bytes/guarded", bytesOf, 20_000, true},
	{"bedrock_20KB_parsed/guarded", parsedOf, 20_000, true},
	{"other/text", linesOf, 0, true},
	{"other/JSON", jsonLinesOf, 0, true},
}

func eventsOf(calls []call) plog.Logs { return eventLogs(calls...) }

func bedrockOf(calls []call) plog.Logs { return bedrockLogs(calls...) }

// quotesOf is of calls that ask about data.
func quotesOf(calls []call) plog.Logs {
	for i := range calls {
		calls[i].quotes = true
	}
	return bedrockLogs(calls...)
}

// bytesOf has the text of each record as bytes.
func bytesOf(calls []call) plog.Logs {
	logs := bedrockLogs(calls...)
	for _, record := range records(logs) {
		text := []byte(record.Body().Str())
		record.Body().SetEmptyBytes().FromRaw(text)
	}
	return logs
}

// parsedOf has each record as a pipeline leaves it that has parsed it.
func parsedOf(calls []call) plog.Logs {
	logs := bedrockLogs(calls...)
	for _, record := range records(logs) {
		var parsed map[string]any
		if err := json.Unmarshal([]byte(record.Body().Str()), &parsed); err != nil {
			panic(err)
		}
		if err := record.Body().FromRaw(parsed); err != nil {
			panic(err)
		}
	}
	return logs
}

// linesOf are as many of an application's own records.
func linesOf(calls []call) plog.Logs {
	logs, list := emptyLogs()
	for i := range calls {
		record := list.AppendEmpty()
		record.SetTimestamp(stampOf(noon))
		record.Body().SetStr(fmt.Sprint("GET /index.html 200 ", i))
		for _, key := range []string{"http.request.method", "url.path", "server.address", "log.file.name", "service.version"} {
			record.Attributes().PutStr(key, "value")
		}
	}
	return logs
}

func jsonLinesOf(calls []call) plog.Logs {
	logs := linesOf(calls)
	for _, record := range records(logs) {
		record.Body().SetStr(`{"level":"info","message":"GET /index.html","status":200,"request":{"id":"1","path":"/index.html"}}`)
	}
	return logs
}

// batches makes batches of n records each, all of them different calls. None of
// the fifty users makes more than two in a minute.
func (s shape) batches(count, n int) []plog.Logs {
	batches := make([]plog.Logs, count)
	for i := range batches {
		calls := make([]call, n)
		for j := range calls {
			serial := i*n + j
			calls[j] = call{
				user:    fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/service-%d/session", serial%50),
				id:      fmt.Sprintf("0d4c2b1a-0000-4000-8000-%012d", serial),
				at:      noon.Add(time.Duration(serial) * time.Second),
				guarded: s.guarded,
				size:    s.size,
			}
		}
		batches[i] = s.logs(calls)
	}
	return batches
}
