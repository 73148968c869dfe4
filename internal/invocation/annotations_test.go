// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Backends, load balancers and detectors downstream all rely on what is written here.
func TestAnnotateWritesVerdictAndFields(t *testing.T) {
	record := bedrockForms()["text"]
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	inv.Annotate(record, "0123456789abcdef")

	assert.Equal(t, map[string]any{
		"gen_ai_guardrail.verdict":       "guarded",
		"gen_ai_guardrail.evidence":      "applied",
		"gen_ai_guardrail.guardrail_ids": []any{"gr1", "gr2"},
		"gen_ai_guardrail.principal":     "arn:aws:sts::111122223333:assumed-role/bot",
		"gen_ai_guardrail.partition":     "0123456789abcdef",
		"user.id":                        "arn:aws:sts::111122223333:assumed-role/bot/session",
		"cloud.account.id":               "111122223333",
		"cloud.region":                   "us-east-1",
		"gen_ai.request.model":           "amazon.nova-pro-v1:0",
		"rpc.method":                     "Converse",
		"aws.request_id":                 "r1",
	}, record.Attributes().AsRaw())
	assert.EqualValues(t, callTimeNS, record.Timestamp())
}

func TestAnnotateLeavesOutUnknownFields(t *testing.T) {
	record := plog.NewLogRecord()
	record.SetEventName("gen_ai.choice")
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	id := inv.ContentID(Source{Record: record})
	inv.Annotate(record, "")
	assert.Equal(t, map[string]any{
		"gen_ai_guardrail.verdict":  "unguarded",
		"gen_ai_guardrail.evidence": "presumed",
		"gen_ai_guardrail.id":       id,
	}, record.Attributes().AsRaw())
	assert.Zero(t, record.Timestamp())
}

// A caller must not be able to write its own verdict.
func TestInboundAnnotationsAreRemoved(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			forged := []string{"verdict", "evidence", "intervened", "id", "principal", "partition", "anything", ""}
			for _, key := range forged {
				record.Attributes().PutStr("gen_ai_guardrail."+key, "forged")
			}
			record.Attributes().PutEmptySlice("gen_ai_guardrail.guardrail_ids").AppendEmpty().SetStr("forged")
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			for key, value := range record.Attributes().All() {
				assert.NotContains(t, value.AsString(), "forged", key)
			}
		})
	}
}

// What the service states is true; anybody may have written an attribute next to it.
func TestBedrockRecordOverrulesAttributes(t *testing.T) {
	for name, record := range bedrockForms() {
		if name != "text" && name != "bytes" && name != "map" && name != "split" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			fields := map[string]string{
				"user.id":          "arn:aws:sts::111122223333:assumed-role/bot/session",
				"cloud.account.id": "111122223333", "cloud.region": "us-east-1", "gen_ai.request.model": "amazon.nova-pro-v1:0",
				"rpc.method": "Converse", "aws.request_id": "r1",
			}
			for key := range fields {
				record.Attributes().PutStr(key, "other")
			}
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			for key, want := range fields {
				assert.Equal(t, want, text(record, key), key)
			}
		})
	}
}

// An attribute record consists of its attributes: they must stay, whatever their type.
func TestAttributeRecordsAreNotOverwritten(t *testing.T) {
	record := everyForm()["details"]
	before := record.Attributes().AsRaw()
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	inv.Annotate(record, "")
	after := record.Attributes().AsRaw()
	for key, value := range before {
		assert.Equal(t, value, after[key], key)
	}
	assert.Equal(t, "r1", after["aws.request_id"], "the missing attribute is added")

	record = everyForm()["details"]
	record.Attributes().PutStr("user.id", "")
	record.Attributes().PutStr("enduser.id", "alice")
	inv, _ = readWith(defaults(), record)
	inv.Annotate(record, "")
	assert.Equal(t, "alice", text(record, "user.id"), "an empty attribute is replaced")
}

// A record without its body has only its timestamp left, which must be that of the call.
// A time of observation must not look stated: it differs with every delivery.
func TestTimestampIsTheTimeOfTheCall(t *testing.T) {
	for name, test := range map[string]struct {
		form                      string
		timestamp, observed, want pcommon.Timestamp
	}{
		"stated in the body":  {"text", 0, 5, pcommon.Timestamp(callTimeNS)},
		"that of a forwarder": {"text", 7, 5, pcommon.Timestamp(callTimeNS)},
		"none in the body":    {"without time", 7, 5, 7},
		"only observed":       {"without time", 0, 5, 0},
		"none at all":         {"without time", 0, 0, 0},
		"an attribute record": {"details", pcommon.Timestamp(callTimeNS), 5, pcommon.Timestamp(callTimeNS)},
	} {
		t.Run(name, func(t *testing.T) {
			record := everyForm()[test.form]
			record.SetTimestamp(test.timestamp)
			record.SetObservedTimestamp(test.observed)
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			assert.Equal(t, test.want, record.Timestamp())
			assert.Equal(t, test.observed, record.ObservedTimestamp())
		})
	}
}
