// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// choice is what the body of an answer's choice shows.
type choice struct {
	later      bool // not the first choice of the call, which stands for it
	intervened bool // a guardrail ended the answer
	answered   bool // there is an answer, or a part of one
	failed     bool // the answer ended in an error
}

// read reads the body of a choice: a map, or JSON text.
func (c *choice) read(body pcommon.Value, s *scanner) {
	if body.Type() == pcommon.ValueTypeStr {
		c.readText(body.Str(), s)
		return
	}
	for name, value := range members(body) {
		switch name {
		case "index":
			switch value.Type() {
			case pcommon.ValueTypeInt:
				c.later = value.Int() != 0
			case pcommon.ValueTypeDouble:
				c.later = value.Double() != 0
			case pcommon.ValueTypeStr:
				c.later = value.Str() != "0"
			}
		case finishReason:
			c.intervened = c.intervened || containsIntervention(value, s)
			c.failed = c.failed || equalsOrContains(value, "error")
			c.answered = c.answered || !isEmpty(value) && !equalsOrContains(value, "error")
		case "message":
			c.answered = c.answered || !isEmpty(value)
		}
	}
}

// readText reads a body that is text. Text that is not JSON is an answer; JSON that
// cannot be read to its end shows nothing.
func (c *choice) readText(body string, s *scanner) {
	if !looksLikeJSON(body) {
		c.answered = body != ""
		return
	}
	var read choice
	var message, reason string
	s.start(body)
	whole := s.object(func(name string) (ok bool) {
		switch name {
		case "index":
			if s.peek() == quote {
				var index string
				index, ok = s.stringValue()
				read.later = index != "0"
				break
			}
			var index string
			index, ok = s.rawValue()
			n, err := strconv.ParseFloat(index, 64)
			read.later = err == nil && n != 0
		case finishReason:
			reason, ok = s.stringValue()
		case "message":
			message, ok = s.rawValue()
		default:
			ok = s.skip()
		}
		return ok
	})
	if whole && s.end() {
		read.intervened = isIntervention(reason)
		read.failed = reason == "error"
		read.answered = !isEmptyJSON(message) || reason != "" && reason != "error"
		*c = read
	}
}
