// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package inputs

import (
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// record describes one of the log records that a call writes.
type record struct {
	Details    map[string]any `json:"details"` // attributes of a details event that differ from the usual ones
	Choice     map[string]any `json:"choice"`  // members of a choice's body that differ from the usual ones
	Event      string         `json:"event"`
	Attributes map[string]any `json:"attributes"`
	Body       any            `json:"body"`

	// Where the record's times and ids come from: "each" (the default): from its own call;
	// "same": from the first call, so that all calls share them; "none": it has none. "other",
	// for a span: from no call, so that it differs from the call's other records.
	Time     string `json:"time"`
	Observed string `json:"observed"`
	Trace    string `json:"trace"`
	Span     string `json:"span"`
}

const (
	detailsEvent = "gen_ai.client.inference.operation.details"
	choiceEvent  = "gen_ai.choice"

	step      = 5 * time.Second        // from one call to the next
	within    = 300 * time.Millisecond // from one record of a call to the next
	collected = 40 * time.Millisecond  // from a record's time until it is observed
)

// builder writes the log records of a case.
type builder struct {
	number int // the number of the case
	start  time.Time
}

// logs returns all records of a case.
func (b builder) logs(c *Case) (plog.Logs, error) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	attributes := c.Resource
	if attributes == nil {
		attributes = map[string]any{"service.name": "reading-room", "user.id": "otter"}
	}
	if err := b.at(1).fill(resource.Resource().Attributes(), attributes); err != nil {
		return logs, err
	}
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(c.Scope)
	times := 6
	if c.Times != nil {
		times = *c.Times
	}
	for n := 1; n <= times; n++ {
		for i, r := range c.Records {
			if err := b.write(scope.LogRecords().AppendEmpty(), r, n, i); err != nil {
				return logs, err
			}
		}
	}
	return logs, nil
}

// write fills in the ith record of the nth call.
func (b builder) write(to plog.LogRecord, r record, n, i int) error {
	for _, setting := range []struct {
		how string
		set func(call) error
	}{
		{r.Time, func(c call) error { to.SetTimestamp(pcommon.NewTimestampFromTime(c.record(i))); return nil }},
		{r.Observed, func(c call) error {
			to.SetObservedTimestamp(pcommon.NewTimestampFromTime(c.record(i).Add(collected)))
			return nil
		}},
		{r.Trace, func(c call) error { to.SetTraceID(c.traceID()); return nil }},
		{r.Span, func(c call) error { to.SetSpanID(c.spanID()); return nil }},
	} {
		var err error
		switch setting.how {
		case "", "each":
			err = setting.set(b.at(n))
		case "same":
			err = setting.set(b.at(1))
		case "other":
			err = setting.set(b.at(100 + n))
		case "none":
		default:
			err = fmt.Errorf("unknown value %q: must be each, same, other or none", setting.how)
		}
		if err != nil {
			return err
		}
	}

	current := b.at(n)
	attributes, body, event := map[string]any{}, r.Body, r.Event
	switch {
	case r.Details != nil:
		event = detailsEvent
		attributes = merge(usualDetails(), r.Details)
	case r.Choice != nil:
		event = choiceEvent
		attributes["gen_ai.system"] = "aws.bedrock"
		body = merge(usualChoice(), r.Choice)
	}
	to.SetEventName(event)
	changes, err := current.eval(r.Attributes) // a function may stand for all of them
	if err != nil {
		return err
	}
	if err := current.fill(to.Attributes(), merge(attributes, changes.(map[string]any))); err != nil {
		return err
	}
	return current.put(to.Body(), body)
}

// usualDetails returns the attributes of a details event.
func usualDetails() map[string]any {
	return map[string]any{
		"gen_ai.operation.name":          "chat",
		"gen_ai.provider.name":           "aws.bedrock",
		"gen_ai.request.model":           "amazon.nova-lite-v1:0",
		"gen_ai.response.id":             "{{id}}",
		"gen_ai.response.finish_reasons": []any{"end_turn"},
	}
}

// usualChoice returns the members of a choice's body.
func usualChoice() map[string]any {
	return map[string]any{"index": 0, "finish_reason": "end_turn", "message": map[string]any{"role": "assistant"}}
}

// merge returns the usual values, replaced by others of the same name; nil removes a value.
func merge(usual, others map[string]any) map[string]any {
	merged := maps.Clone(usual)
	for key, value := range others {
		if value == nil {
			delete(merged, key)
			continue
		}
		merged[key] = value
	}
	return merged
}

// call is one of the calls of a case.
type call struct {
	number, n int
	time      time.Time
}

// at returns the nth call.
func (b builder) at(n int) call {
	return call{number: b.number, n: n, time: b.start.Add(time.Duration(n) * step)}
}

// record returns the time of the ith record.
func (c call) record(i int) time.Time { return c.time.Add(time.Duration(i) * within) }

func (c call) traceID() (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[:], uint64(c.number))
	binary.BigEndian.PutUint64(id[8:], uint64(c.n))
	return id
}

func (c call) spanID() (id pcommon.SpanID) {
	binary.BigEndian.PutUint32(id[:], uint32(c.number))
	binary.BigEndian.PutUint32(id[4:], uint32(c.n))
	return id
}

// text returns a text with the placeholders replaced by the call's values.
func (c call) text(s string) string {
	return strings.NewReplacer(
		"{{id}}", fmt.Sprintf("5e0c%04d-7a41-4c55-9d0b-%012d", c.number, c.n),
		"{{n}}", strconv.Itoa(c.n),
		"{{time}}", c.time.Format(time.RFC3339),
	).Replace(s)
}
