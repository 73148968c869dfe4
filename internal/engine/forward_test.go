// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// A pipeline with any of the collector's own components around it, nothing of ours.
func TestWorksThroughTheFactory(t *testing.T) {
	factory, sink := guardrailprocessor.NewFactory(), new(consumertest.LogsSink)
	p, err := factory.CreateLogs(t.Context(), processortest.NewNopSettings(guardrailprocessor.NewFactory().Type()), factory.CreateDefaultConfig(), sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, p.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...)))
	require.NoError(t, p.Shutdown(t.Context()))
	require.Len(t, sink.AllLogs(), 2)
	assert.Equal(t, 6, sink.AllLogs()[0].LogRecordCount())
	assert.Equal(t, "gen_ai_guardrail.alert", records(sink.AllLogs()[1])[0].EventName())
}

// Whoever reads the stream sees the calls first and then their alerts, in separate batches.
func TestRecordsLeaveBeforeTheirAlerts(t *testing.T) {
	r := newRig(t, `{}`)
	r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
	batches := r.next.batches()
	require.Len(t, batches, 2)
	assert.Equal(t, 12, batches[0].LogRecordCount())
	assert.False(t, isAlerts(batches[0]))
	assert.Equal(t, []string{"alice", "bob"}, attrsOf(records(batches[1]), "user.id"), "the alerts of a call in one batch")
}

// What is read must be read before it is forwarded: the next component may modify what it receives.
func TestNextComponentCannotDisturbDetection(t *testing.T) {
	for name, settings := range map[string]string{"plain": `{}`, "annotating": `{annotate: true}`} {
		t.Run(name, func(t *testing.T) {
			forms := map[string]func() plog.Logs{
				"text": func() plog.Logs { return bedrockLogs(burst("alice", 6)...) },
				"bytes": func() plog.Logs {
					logs := bedrockLogs(burst("alice", 6)...)
					for _, record := range records(logs) {
						text := []byte(record.Body().Str())
						record.Body().SetEmptyBytes().FromRaw(text)
					}
					return logs
				},
				"attributes": func() plog.Logs { return eventLogs(burst("alice", 6)...) },
			}
			for form, logs := range forms {
				t.Run(form, func(t *testing.T) {
					r := newRig(t, settings)
					r.next.wreck = true
					r.consume(t, logs())
					alerts := r.next.alerts()
					require.Len(t, alerts, 1)
					assert.Equal(t, "alice", attr(alerts[0], "user.id"))
					assert.Equal(t, account, attr(alerts[0], "cloud.account.id"))
					assert.JSONEq(t, `["alice-0","alice-1","alice-2","alice-3","alice-4","alice-5"]`,
						attr(alerts[0], "gen_ai_guardrail.request_ids"))

					r.consume(t, logs())
					assert.Len(t, r.next.alerts(), 1, "what was remembered is whole, too: the same six are no news")
				})
			}
		})
	}
}

// Several pipelines share one copy of the records: a write would be a data race or a panic.
func TestRecordsPassUntouchedAndUncopied(t *testing.T) {
	r := newRig(t, `{}`)
	require.False(t, r.Capabilities().MutatesData)
	logs := mixedLogs()
	before := plog.NewLogs()
	logs.CopyTo(before)
	logs.MarkReadOnly()
	r.consume(t, logs)
	assert.Equal(t, before, r.next.batches()[0])

	assert.True(t, newRig(t, `{annotate: true}`).Capabilities().MutatesData)
}

// mixedLogs has records of every kind, invocations and others.
func mixedLogs() plog.Logs {
	logs := bedrockLogs(append(burst("alice", 6), guarded(burst("bob", 3))...)...)
	eventLogs(burst("carol", 6)...).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	list := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	list.AppendEmpty().Body().SetStr("an application's own line")
	list.AppendEmpty().Body().SetEmptyMap().PutStr("level", "info")
	list.AppendEmpty()
	return logs
}

// With pass_through off, a SIEM is sent the alerts and not the prompts.
func TestWithoutPassThroughOnlyAlertsLeave(t *testing.T) {
	r := newRig(t, `{pass_through: false}`)
	r.next.refuse = func(_ context.Context, logs plog.Logs) error {
		if !isAlerts(logs) {
			return errors.New("not asked for")
		}
		return nil
	}
	r.consume(t, mixedLogs())
	r.consume(t, bedrockLogs(guarded(burst("dave", 20))...))
	assert.Len(t, r.next.batches(), 1)
	assert.Equal(t, []string{"alice", "carol"}, attrsOf(r.next.alerts(), "user.id"))
}

// The error decides whether, and what, the sender sends again: it must come through as it is.
func TestErrorOfTheNextComponentIsReturnedAsItCame(t *testing.T) {
	plain := errors.New("queue is full")
	partial := consumererror.NewLogs(plain, bedrockLogs(burst("alice", 1)...))
	for name, want := range map[string]error{
		"retryable": plain,
		"permanent": consumererror.NewPermanent(plain),
		"partial":   partial,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{}`)
			r.next.refuse = func(_ context.Context, logs plog.Logs) error {
				if isAlerts(logs) {
					return nil
				}
				return want
			}
			got := r.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...))
			assert.Equal(t, want, got)
			require.ErrorIs(t, got, plain)
			assert.Equal(t, name == "permanent", consumererror.IsPermanent(got))
			var rest consumererror.Logs
			assert.Equal(t, name == "partial", errors.As(got, &rest))
			assert.Len(t, r.next.alerts(), 1, "the calls happened, whatever becomes of their records")
		})
	}
}

// A broken exporter makes the sender retry for hours; its retries are not more calls.
func TestRetriesAreForwardedAgainAndCountedOnce(t *testing.T) {
	r := newRig(t, `{}`)
	r.next.refuse = func(context.Context, plog.Logs) error { return errors.New("down") }
	for range 10 {
		require.Error(t, r.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 5)...)))
	}
	r.next.refuse = nil
	r.consume(t, bedrockLogs(burst("alice", 5)...))
	assert.Len(t, r.next.passed(), 5)
	assert.Empty(t, r.next.alerts())

	r.consume(t, bedrockLogs(burst("alice", 6)...))
	assert.Len(t, r.next.alerts(), 1)
}

// A sender in the same process sends the same records again after a refusal, including their annotations.
func TestRetriesOfAnnotatedRecordsAreCountedOnce(t *testing.T) {
	for name, logs := range map[string]plog.Logs{
		"bedrock":    bedrockLogs(burst("alice", 5)...),
		"attributes": eventLogs(burst("alice", 5)...),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{annotate: true}`)
			r.next.refuse = func(context.Context, plog.Logs) error { return errors.New("down") }
			for range 3 {
				require.Error(t, r.ConsumeLogs(t.Context(), logs))
			}
			r.next.refuse = nil
			r.consume(t, logs)
			assert.Empty(t, r.next.alerts())
		})
	}
}

func TestRetriesOfAnnotatedRecordsWithoutAnIDAreCountedOnce(t *testing.T) {
	calls := burst("alice", 3)
	for i := range calls {
		calls[i].id = ""
	}
	logs := eventLogs(calls...)
	r := newRig(t, `{annotate: true}`)
	r.next.refuse = func(context.Context, plog.Logs) error { return errors.New("down") }
	require.Error(t, r.ConsumeLogs(t.Context(), logs))
	r.next.refuse = nil
	r.consume(t, logs)
	assert.Empty(t, r.next.alerts(), "three calls, not six")
}

// Prompts and answers must not stay in the collector's memory once their records have gone.
func TestBatchKeepsNothingOfARecord(t *testing.T) {
	r := newRig(t, `{}`)
	r.consume(t, bedrockLogs(call{user: "alice", id: "1", at: noon, size: 10_000}))
	assert.NotContains(t, fmt.Sprintf("%#v", r.PooledInvocation()), "barometer")
}
