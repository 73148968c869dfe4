// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

func TestTheSixthUnguardedInvocationAlertsAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	calls := bedrock.Burst("alice", 7)
	for _, call := range calls[:5] {
		require.Empty(t, p.pass(t, bedrock.Logs(call)))
	}

	raised := p.pass(t, bedrock.Logs(calls[5]))
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
	assert.Equal(t, bedrock.User("alice"), raised[0].user())
	assert.Equal(t, bedrock.Account, raised[0].account())
	assert.Equal(t, []any{"alice-1", "alice-2", "alice-3", "alice-4", "alice-5", "alice-6"},
		raised[0].attributes["gen_ai_guardrail.request_ids"])

	require.Empty(t, p.pass(t, bedrock.Logs(calls[6])), "the seventh belongs to the same alert")
}

func TestGuardedInvocationsNeverAlert(t *testing.T) {
	t.Parallel()
	p := start(t)
	calls := bedrock.Burst("alice", 50)
	for i := range calls {
		calls[i].Guardrail = "gr1"
	}
	require.Empty(t, p.pass(t, bedrock.Logs(calls...)))
}

func TestRecordsAreForwardedCompleteAndInOrder(t *testing.T) {
	t.Parallel()
	p := start(t)
	logs := plog.NewLogs()
	calls := bedrock.Burst("alice", 20)
	for i := range 4 {
		resourceLogs := logs.ResourceLogs().AppendEmpty()
		resourceLogs.SetSchemaUrl("https://example.org/resource")
		resourceLogs.Resource().Attributes().PutInt("number", int64(i))
		resourceLogs.Resource().SetDroppedAttributesCount(1)
		for j := range 2 {
			scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
			scopeLogs.SetSchemaUrl("https://example.org/scope")
			scopeLogs.Scope().SetName(fmt.Sprintf("scope-%d", j))
			scopeLogs.Scope().SetVersion("1")
			scopeLogs.Scope().Attributes().PutBool("is set", true)
			for range 3 {
				putEverything(scopeLogs.LogRecords().AppendEmpty())
				if j == 0 {
					scopeLogs.LogRecords().AppendEmpty().Body().SetStr(calls[0].Body())
					calls = calls[1:]
				}
			}
		}
	}
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty() // even without any record

	assert.Len(t, p.pass(t, logs), 1)
}

// putEverything sets everything that a record can hold, on a record that is no invocation.
func putEverything(record plog.LogRecord) {
	record.SetTimestamp(1_000_000_001)
	record.SetObservedTimestamp(2_000_000_002)
	record.SetEventName("something.else")
	record.SetSeverityNumber(plog.SeverityNumberWarn3)
	record.SetSeverityText("odd")
	record.SetTraceID(pcommon.TraceID{1, 2, 3})
	record.SetSpanID(pcommon.SpanID{4, 5, 6})
	record.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	record.SetDroppedAttributesCount(7)
	body := record.Body().SetEmptyMap()
	body.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
	list := body.PutEmptySlice("list")
	list.AppendEmpty().SetInt(-1)
	list.AppendEmpty().SetDouble(0.5)
	list.AppendEmpty().SetEmptyMap().PutStr("nested", "value")
	list.AppendEmpty()
	record.Attributes().PutStr("", "without a name")
	record.Attributes().PutEmpty("empty")
	record.Attributes().PutInt("int", -1)
}

func TestOneUserNameInTwoAccountsIsCountedSeparately(t *testing.T) {
	t.Parallel()
	p := start(t)
	here, there := bedrock.Burst("alice", 6), bedrock.Burst("alice", 6)
	for i := range there {
		there[i].Account = "444455556666"
		there[i].RequestID += "-there"
	}
	require.Empty(t, p.pass(t, bedrock.Logs(slices.Concat(here[:5], there[:5])...)), "ten if the account did not count")

	raised := p.pass(t, bedrock.Logs(there[5], here[5]))
	require.Len(t, raised, 2)
	assert.Equal(t, "444455556666", raised[0].account())
	assert.Equal(t, bedrock.Account, raised[1].account())
	assert.NotEqual(t, raised[0].id(), raised[1].id())
}

func TestARepeatedRecordCountsOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	calls := bedrock.Burst("alice", 6)
	require.Empty(t, p.pass(t, bedrock.Logs(slices.Concat(calls[:5], calls[:5], calls[:5])...)), "in one request")
	require.Empty(t, p.pass(t, bedrock.Logs(calls[:5]...)), "in another request")

	raised := p.pass(t, bedrock.Logs(calls[5]))
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
	require.Empty(t, p.pass(t, bedrock.Logs(calls...)), "all of them again")
}

func TestBatchingDoesNotChangeAlerts(t *testing.T) {
	t.Parallel()
	calls := bedrock.Burst("alice", 12)
	together := start(t).pass(t, bedrock.Logs(calls...))
	require.Len(t, together, 1)

	var oneByOne []alert
	p := start(t)
	for _, call := range calls {
		oneByOne = append(oneByOne, p.pass(t, bedrock.Logs(call))...)
	}
	assert.Equal(t, together, oneByOne)

	var backwards []alert
	p = start(t)
	for _, call := range slices.Backward(calls) {
		backwards = append(backwards, p.pass(t, bedrock.Logs(call))...)
	}
	require.Len(t, backwards, 1)
	assert.Equal(t, together[0].id(), backwards[0].id())
}

// Each user's calls are split among concurrent senders, and every call is sent twice, by different senders.
func TestConcurrentSendersCauseEachAlertOnce(t *testing.T) {
	t.Parallel()
	const users, senders = 60, 8
	p := start(t)
	var calls []bedrock.Call
	want := map[string]bool{}
	for i := range users {
		name := fmt.Sprintf("user-%d", i)
		n := 5 + i%2*2 // five calls do not alert, seven do
		want[bedrock.User(name)] = n > 5
		calls = append(calls, bedrock.Burst(name, n)...)
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	shares := make([][]bedrock.Call, senders)
	for i, call := range calls {
		shares[i%senders] = append(shares[i%senders], call)
		shares[(i+3)%senders] = append(shares[(i+3)%senders], call)
	}

	var wait sync.WaitGroup
	for _, share := range shares {
		wait.Go(func() {
			for request := range slices.Chunk(share, 3) {
				assert.NoError(t, p.Send(t.Context(), bedrock.Logs(request...)))
			}
		})
	}
	wait.Wait()

	forwarded, got := 0, map[string]bool{}
	for _, request := range p.sink.Take() {
		alerts := alertsIn(request.Logs)
		if len(alerts) == 0 {
			forwarded += request.Logs.LogRecordCount()
			continue
		}
		require.Len(t, alerts, request.Logs.LogRecordCount(), "records among the alerts")
		for _, a := range alerts {
			require.False(t, got[a.user()], "%s alerts twice", a.user())
			got[a.user()] = true
			assert.Equal(t, 6, a.count())
		}
	}
	assert.Equal(t, 2*len(calls), forwarded)
	for user, alerts := range want {
		assert.Equal(t, alerts, got[user], user)
	}
}
