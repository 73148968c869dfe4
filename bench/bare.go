// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Bare loops show the least that any component pays to look at a record.

// sink keeps the compiler from removing the work of a bare loop.
var sink atomic.Int64

// newScan returns a contender that looks at the key and the value of every attribute once.
func newScan() *contender {
	return bare("bare scan of the attributes", scan)
}

// newScanAndLookup returns a contender that also looks up the user in a map, as counting by user must.
func newScanAndLookup() *contender {
	users := map[string]int{}
	return bare("bare scan of the attributes and a map look-up", func(record plog.LogRecord) (n int) {
		var user string
		for key, value := range record.Attributes().All() {
			n += len(key)
			if value.Type() == pcommon.ValueTypeStr {
				n += len(value.Str())
				if key == "user.id" {
					user = value.Str()
				}
			}
		}
		count, ok := users[user]
		if !ok {
			users[user] = len(users)
		}
		return n + count
	})
}

// scan returns the total length of a record's attribute keys and string values.
func scan(record plog.LogRecord) (n int) {
	for key, value := range record.Attributes().All() {
		n += len(key)
		if value.Type() == pcommon.ValueTypeStr {
			n += len(value.Str())
		}
	}
	return n
}

// newSkip returns a contender that finds the brackets and strings of a JSON body and looks at nothing in them.
func newSkip() *contender {
	return bare("plain structural skip of the body", func(record plog.LogRecord) int { return skip(record.Body().Str()) })
}

// skip returns how deeply the brackets of a JSON text are nested.
func skip(text string) (deepest int) {
	depth := 0
	for pos := 0; pos < len(text); pos++ {
		switch text[pos] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case '"':
			pos += 1 + endOfString(text[pos+1:])
		}
	}
	return deepest
}

// endOfString returns the index of the quote that ends a string, or the length of text where there is none.
func endOfString(text string) int {
	for end := 0; ; end++ {
		n := strings.IndexByte(text[end:], '"')
		if n < 0 {
			return len(text)
		}
		end += n
		escapes := end
		for escapes > 0 && text[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return end
		}
	}
}

// bare returns a contender that calls look for every record.
func bare(name string, look func(plog.LogRecord) int) *contender {
	return &contender{
		name: name,
		consume: func(logs plog.Logs) error {
			n := 0
			for _, resource := range logs.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						n += look(record)
					}
				}
			}
			sink.Store(int64(n))
			return nil
		},
		close: func() {},
	}
}
