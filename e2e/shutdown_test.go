// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// When the collector has exited, every request that it accepted has been forwarded, and the alerts due for it have been delivered.
func TestStoppingUnderLoadLosesNothingThatWasAccepted(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := start(t, "yaml:processors::gen_ai_guardrail::rules: [{alert: {limit: 100000}}]")
			const senders = 4
			accepted := make([][]string, senders) // users, by sender
			var underWay, wait sync.WaitGroup
			underWay.Add(senders)
			for i := range senders {
				wait.Go(func() {
					ready := sync.OnceFunc(underWay.Done)
					defer ready()
					for n := 0; ; n++ {
						name := fmt.Sprintf("user-%d-%d", i, n)
						if p.Send(t.Context(), bedrock.Logs(bedrock.Burst(name, 6)...)) != nil {
							return // the collector is gone
						}
						accepted[i] = append(accepted[i], bedrock.User(name))
						if n == 20 {
							ready()
						}
					}
				})
			}
			underWay.Wait()
			result := p.Stop(signal)
			wait.Wait()
			assert.Zero(t, result.Code)
			assert.Empty(t, result.Complaints())

			forwarded, alerted := map[string]int{}, map[string]int{}
			for _, request := range p.sink.Take() {
				for _, a := range alertsIn(request.Logs) {
					alerted[a.user()]++
				}
				for _, record := range recordsIn(request.Logs) {
					var call struct{ Identity struct{ ARN string } }
					if !isAlert(record) {
						require.NoError(t, json.Unmarshal([]byte(record.Body().Str()), &call))
						forwarded[call.Identity.ARN]++
					}
				}
			}
			for _, users := range accepted {
				require.Greater(t, len(users), 20)
				for _, user := range users {
					assert.Equal(t, 6, forwarded[user], user)
					assert.Equal(t, 1, alerted[user], user)
				}
			}
		})
	}
}

func TestStoppingInTheMiddleOfARetryStillDeliversTheAlert(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	barrier := sink.NewBarrier()
	p.sink.Become(sink.To(holdsAlerts, barrier.Hold))
	barrier.AwaitHeld(t)

	p.sink.Become(sink.Accept)
	result := p.Stop(os.Interrupt)
	assert.Zero(t, result.Code)
	assert.Empty(t, result.Complaints())
	delivered := 0
	for _, request := range p.sink.Take() {
		if request.Err == nil {
			delivered += len(alertsIn(request.Logs))
		}
	}
	assert.Equal(t, 1, delivered)
}

// Backends recognise a repeated alert by its id.
func TestAnAlertHasTheSameIDAfterACrash(t *testing.T) {
	t.Parallel()
	logs := bedrock.Logs(bedrock.Burst("alice", 6)...)
	p := start(t)
	before := p.pass(t, logs)
	require.Len(t, before, 1)
	p.Stop(os.Kill)

	assert.Equal(t, before, start(t).pass(t, logs))
}
