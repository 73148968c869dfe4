// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// waitingWays are ways in which edges keep nothing: they acknowledge what every exporter has sent.
var waitingWays = map[string]way{
	"ranges": byRanges.waiting("otlp_grpc/detector-0", "otlp_grpc/detector-1", "otlp_grpc/detector-2"),
	"ring":   byRing.waiting("load_balancing/detectors"),
}

// waiting returns the way without queues on disk, those of the given exporters included.
func (w way) waiting(exporters ...string) way {
	w = w.with("yaml:processors::gen_ai_guardrail/nobody::storage: null")
	for _, exporter := range append(exporters, "otlp_grpc/backend") {
		w = w.with("yaml:exporters::" + exporter + "::sending_queue: {storage: null, wait_for_result: true}")
	}
	return w
}

// What an edge held when it ended for good was not acknowledged: its senders have it still.
func TestEdgesThatKeepNothingLoseNothing(t *testing.T) {
	t.Parallel()
	for shared, w := range waitingWays {
		t.Run(shared, func(t *testing.T) {
			t.Parallel()
			l := scaleLoad(t, 40)
			f := newFleet(t, 3, 2, w)
			sent := f.send(l.batches)
			sent.await(t, 8)
			f.detectors[1].Stop(syscall.SIGKILL)
			f.detectors[1].start()
			sent.await(t, 16)
			backend := sink.NewBarrier() // so that both edges hold something
			f.out.Become(sink.To(holdsRecords, backend.Hold))
			backend.AwaitHeld(t)
			f.edges[0].Stop(syscall.SIGKILL)
			require.NoError(t, os.RemoveAll(f.edges[0].dir))
			f.edges[0].start()
			f.out.Become(sink.Accept)
			backend.Open()
			sent.wait()
			assert.Empty(t, f.faults(l, 2))
		})
	}
}

// The price: what contains something for a detector that is down is not accepted before it is back.
func TestEdgesThatKeepNothingWaitForEveryDetector(t *testing.T) {
	t.Parallel()
	for shared, w := range waitingWays {
		t.Run(shared, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 3, 1, w.with("yaml:service::telemetry::logs: {level: info, disable_stacktrace: true}"))
			f.detectors[1].Stop(syscall.SIGKILL)
			var calls []bedrock.Call
			for user := range accused {
				calls = slices.Concat(calls, bedrock.Burst(fmt.Sprintf("user-%d", user), 6))
			}
			edge := f.edges[0]
			client, answer := edge.Dial(t), make(chan error, 1)
			go func() { answer <- client.Send(t.Context(), bedrock.Logs(calls...)) }()
			edge.AwaitStderr("Exporting failed. Will retry the request after interval.")
			select {
			case err := <-answer:
				t.Fatalf("answered without detector 1: %v", err)
			default:
			}
			f.detectors[1].start()
			require.NoError(t, <-answer)
			assert.Len(t, f.awaitAlerts(0, accused), accused)
			for _, n := range slices.Concat(f.edges, f.detectors) {
				assert.True(t, n.Stop(syscall.SIGTERM).Clean())
			}
		})
	}
}
