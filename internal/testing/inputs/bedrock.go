// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package inputs

import "maps"

// recordMembers are the members of a Bedrock record, in the order in which they are written.
var recordMembers = []string{
	"schemaType", "schemaVersion", "timestamp", "accountId", "identity", "region", "requestId", "operation", "modelId",
	"errorCode", "requestMetadata", "input", "output",
}

// bedrockRecord returns the record of an unguarded call, with changes. Maps in identity,
// input and output are merged with the usual members; nil removes a member.
func bedrockRecord(changes map[string]any) map[string]any {
	usual := map[string]any{
		"schemaType":    "ModelInvocationLog",
		"schemaVersion": "1.0",
		"timestamp":     "{{time}}",
		"accountId":     "444455556666",
		"identity":      map[string]any{"arn": "arn:aws:sts::444455556666:assumed-role/ReadingRoom/desk-3"},
		"region":        "eu-west-1",
		"requestId":     "{{id}}",
		"operation":     "InvokeModel",
		"modelId":       "meta.llama3-1-70b-instruct-v1:0",
		"input": map[string]any{
			"inputContentType": "application/json",
			"inputBodyJson":    map[string]any{"prompt": "Which shelf holds the tide tables?", "max_gen_len": 128},
			"inputTokenCount":  9,
		},
		"output": map[string]any{
			"outputContentType": "application/json",
			"outputBodyJson":    map[string]any{"generation": "The third, beside the window.", "stop_reason": "stop"},
			"outputTokenCount":  7,
		},
	}
	merged := maps.Clone(usual)
	for name, change := range changes {
		part, isPart := usual[name].(map[string]any)
		changed, isMap := change.(map[string]any)
		switch {
		case isPart && isMap:
			merged[name] = merge(part, changed)
		case change == nil:
			delete(merged, name)
		default:
			merged[name] = change
		}
	}
	return merged
}
