// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package bedrock generates log records as Amazon Bedrock writes them.
package bedrock

import (
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Call is an invocation of a model with InvokeModel.
type Call struct {
	User, Account, Region, Model string
	RequestID                    string
	Time                         time.Time
	Prompt, Answer               string
	Metadata                     map[string]string // attached by the caller
	Guardrail                    string            // id of the guardrail that ran; empty: none ran
	Intervened                   bool              // the guardrail stopped the call
}

// start is the time of the first call: the beginning of a minute, so that a burst stays within it.
var start = time.Date(2026, 5, 2, 7, 30, 0, 0, time.UTC)

// Account is the account of calls unless a test sets another one.
const Account = "111122223333"

// User returns the ARN of the user with a name.
func User(name string) string { return "arn:aws:iam::" + Account + ":user/" + name }

// Burst returns n calls by one user without a guardrail, one per second from the beginning of a minute.
func Burst(name string, n int) []Call {
	calls := make([]Call, n)
	for i := range calls {
		calls[i] = Call{
			User:      User(name),
			Account:   Account,
			Region:    "us-east-1",
			Model:     "anthropic.claude-3-haiku-20240307-v1:0",
			RequestID: fmt.Sprintf("%s-%d", name, i+1),
			Time:      start.Add(time.Duration(i) * time.Second),
			Prompt:    "Name a river.",
			Answer:    "The Elbe.",
		}
	}
	return calls
}

type object = map[string]any

// Body returns the log record of the call, as JSON.
func (c Call) Body() string {
	answer := object{
		"type":        "message",
		"role":        "assistant",
		"content":     []object{{"type": "text", "text": c.Answer}},
		"stop_reason": "end_turn",
	}
	if c.Guardrail != "" {
		answer["amazon-bedrock-guardrailAction"] = "NONE"
		if c.Intervened {
			answer["amazon-bedrock-guardrailAction"] = "INTERVENED"
		}
		answer["amazon-bedrock-trace"] = object{"guardrail": object{"input": object{c.Guardrail: object{}}}}
	}
	record := object{
		"schemaType":    "ModelInvocationLog",
		"schemaVersion": "1.0",
		"timestamp":     c.Time.Format(time.RFC3339Nano),
		"accountId":     c.Account,
		"identity":      object{"arn": c.User},
		"region":        c.Region,
		"requestId":     c.RequestID,
		"operation":     "InvokeModel",
		"modelId":       c.Model,
		"input": object{
			"inputContentType": "application/json",
			"inputBodyJson":    object{"messages": []object{{"role": "user", "content": c.Prompt}}},
			"inputTokenCount":  5,
		},
		"output": object{
			"outputContentType": "application/json",
			"outputBodyJson":    answer,
			"outputTokenCount":  4,
		},
	}
	if c.Metadata != nil {
		record["requestMetadata"] = c.Metadata
	}
	text, err := json.Marshal(record)
	if err != nil {
		panic(err) // unreachable: everything in it can be marshalled
	}
	return string(text)
}

// Logs returns one request with the records of the calls.
func Logs(calls ...Call) plog.Logs {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.Resource().Attributes().PutStr("service.name", "bedrock")
	records := resourceLogs.ScopeLogs().AppendEmpty().LogRecords()
	for _, call := range calls {
		records.AppendEmpty().Body().SetStr(call.Body())
	}
	return logs
}
