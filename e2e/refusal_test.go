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

func TestARefusalReachesTheSenderWhoseSecondTryIsForwardedAndCountedOnce(t *testing.T) {
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
	require.Empty(t, p.pass(t, bedrock.Logs(calls[:5]...)), "five, however often they were sent")
	raised := p.pass(t, bedrock.Logs(calls[5]))
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
}

// What was sent happened, though its record has not come through: the alert does not wait for that.
func TestAnAlertOfRefusedRecordsIsNotLost(t *testing.T) {
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
	require.Empty(t, p.pass(t, calls), "the alert is out already")
}

func TestARejectionReachesTheSenderAsOne(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.Reject)
	err := p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 1)...))
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	require.ErrorContains(t, err, "the sink never takes this")
}

func TestARefusedAlertComesLaterUnderTheSameID(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)), "an alert's refusal is no business of the sender")
	requests := p.sink.Take()
	require.GreaterOrEqual(t, len(requests), 2) // on a slow machine the next try may be among them
	refused := alertsIn(requests[1].Logs)
	require.Len(t, refused, 1)
	require.Error(t, requests[1].Err)

	p.sink.Become(sink.Accept)
	later := p.sink.Await(t, func(r sink.Request) bool { return r.Err == nil && holdsAlerts(r.Logs) })
	assert.Equal(t, refused, alertsIn(later.Logs))

	require.Zero(t, p.Stop(os.Interrupt).Code)
	for _, again := range p.sink.Take() { // when the end comes before the answer, it cannot know that the alert is through
		assert.Equal(t, refused, alertsIn(again.Logs))
	}
}

func TestAnAlertThatWaitsIsDeliveredBeforeTheEnd(t *testing.T) {
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

func TestAnAlertThatCannotBeDeliveredIsToldWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour sink.Behaviour
		message   string
	}{
		"rejected":              {sink.Reject, "the sink never takes this"},
		"refused until the end": {sink.Refuse, "the collector stops"},
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

// An alert that is rejected must not take others with it that wait beside it.
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

func TestASlowBackendForOneSenderDoesNotHoldUpAnother(t *testing.T) {
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
