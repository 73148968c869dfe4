// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

func TestRefusedRecordsAreForwardedWhenSentAgainAndCountedOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	calls := bedrock.Burst("alice", 6)
	p.sink.Become(sink.Refuse)
	for range 3 {
		err := p.Send(t.Context(), bedrock.Logs(calls[:5]...))
		assert.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, "the sink is busy")
	}
	for _, request := range p.sink.Take() {
		require.Empty(t, alertsIn(request.Logs))
	}

	p.sink.Become(sink.Accept)
	require.Empty(t, p.pass(t, bedrock.Logs(calls[:5]...)), "five calls, however often they were sent")
	raised := p.pass(t, bedrock.Logs(calls[5]))
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
}

// The calls happened although the backend refused their records: the alert does not wait for the records.
func TestAnAlertAboutRefusedRecordsIsNotLost(t *testing.T) {
	t.Parallel()
	p := start(t)
	calls := bedrock.Logs(bedrock.Burst("alice", 6)...)
	p.sink.Become(sink.To(holdsRecords, sink.Refuse))
	require.ErrorContains(t, p.Send(t.Context(), calls), "the sink is busy")
	requests := p.sink.Take()
	require.Len(t, requests, 2)
	require.Len(t, alertsIn(requests[1].Logs), 1)
	require.NoError(t, requests[1].Err)

	p.sink.Become(sink.Accept)
	require.Empty(t, p.pass(t, calls), "the alert was delivered before")
}

func TestAPermanentRefusalReachesTheSenderAsPermanent(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.Reject)
	err := p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 1)...))
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	require.ErrorContains(t, err, "the sink rejects this")
}

func TestARefusedAlertIsDeliveredLaterUnderTheSameID(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)), "the sender does not see that an alert was refused")
	requests := p.sink.Take()
	require.GreaterOrEqual(t, len(requests), 2) // on a slow machine the next attempt may be among them
	refused := alertsIn(requests[1].Logs)
	require.Len(t, refused, 1)
	require.Error(t, requests[1].Err)

	p.sink.Become(sink.Accept)
	later := p.sink.Await(t, func(r sink.Request) bool { return r.Err == nil && holdsAlerts(r.Logs) })
	assert.Equal(t, refused, alertsIn(later.Logs))

	require.Zero(t, p.Stop(os.Interrupt).Code)
	for _, again := range p.sink.Take() { // a collector that stops before it has the answer cannot know that the alert was accepted
		assert.Equal(t, refused, alertsIn(again.Logs))
	}
}

func TestAPendingAlertIsDeliveredDuringShutdown(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	p.sink.Take()

	p.sink.Become(sink.Accept)
	result := p.Stop(os.Interrupt)
	assert.Zero(t, result.Code)
	assert.Empty(t, result.Complaints())
	delivered := p.sink.Await(t, func(r sink.Request) bool { return r.Err == nil })
	assert.Len(t, alertsIn(delivered.Logs), 1)
}

func TestAnAlertThatCannotBeDeliveredIsLoggedInFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour sink.Behaviour
		message   string
	}{
		"rejected":               {sink.Reject, "the sink rejects this"},
		"refused until shutdown": {sink.Refuse, "the collector is shutting down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			logs := bedrock.Logs(bedrock.Burst("alice", 6)...)
			p.sink.Become(sink.To(holdsAlerts, c.behaviour))
			require.NoError(t, p.Send(t.Context(), logs))
			requests := p.sink.Take()
			require.GreaterOrEqual(t, len(requests), 2)
			requireSame(t, logs, requests[0].Logs)
			require.NoError(t, requests[0].Err)
			lost := alertsIn(requests[1].Logs)
			require.Len(t, lost, 1)

			result := p.Stop(os.Interrupt)
			assert.Zero(t, result.Code)
			assert.Contains(t, result.Stderr, "Alert could not be delivered")
			assert.Contains(t, result.Stderr, c.message)
			assert.Contains(t, result.Stderr, lost[0].body)
			assert.Contains(t, result.Stderr, lost[0].id())
		})
	}
}

// Dropping a rejected alert must not drop others that wait with it.
func TestOneRejectedAlertDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("bob", 6)...)))

	p.sink.Become(sink.To(holdsAlertOf(bedrock.User("alice")), sink.Reject))
	taken := p.sink.Await(t, func(r sink.Request) bool { return r.Err == nil && holdsAlertOf(bedrock.User("bob"))(r.Logs) })
	assert.Len(t, alertsIn(taken.Logs), 1)

	result := p.Stop(os.Interrupt)
	assert.Zero(t, result.Code)
	assert.Contains(t, result.Stderr, bedrock.User("alice"))
	assert.NotContains(t, result.Stderr, bedrock.User("bob"))
}

func TestOneSlowRequestDoesNotHoldUpOtherSenders(t *testing.T) {
	t.Parallel()
	p := start(t)
	barrier := sink.NewBarrier()
	p.sink.Become(sink.To(holdsCallOf("alice"), barrier.Hold))
	answer := make(chan error, 1)
	go func() { answer <- p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 1)...)) }()
	barrier.AwaitHeld(t)

	assert.Len(t, p.pass(t, bedrock.Logs(bedrock.Burst("bob", 6)...)), 1)

	barrier.Open()
	require.NoError(t, <-answer)
}
