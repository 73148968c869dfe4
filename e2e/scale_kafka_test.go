// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// kafka runs the test with a broker. On a busy machine its consumers sometimes join their group later than the test waits.
var kafka = flag.Bool("kafka", false, "test detection behind Kafka")

// byKafka starts a broker, and returns how to share out through it. The broker is franz-go's, inside this process: it speaks the protocol,
// consumer groups and static members included, to the real exporter and receiver. It is not Kafka: nothing is replicated, written to disk,
// or slow, and it never fails.
func byKafka(t *testing.T) way {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(12, "gen_ai_guardrail"),
		kfake.GroupMaxSessionTimeout(30*time.Minute)) // as Kafka has it by default
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return way{
		gateway:  true,
		env:      []string{"GUARDRAIL_KAFKA=" + cluster.ListenAddrs()[0]},
		configs:  []string{"config/scale-out/kafka-edge.yaml"},
		detector: []string{"config/scale-out/kafka-detector.yaml"},
	}
}

// Of two consumers in a group one is killed, and is back before its session ends: its partitions, and with them its users, stay its own.
func TestDetectorsBehindKafkaRaiseTheAlertsOfOneInstance(t *testing.T) {
	t.Parallel()
	if !*kafka {
		t.Skip("runs with -kafka, as part of make soak")
	}
	for name, ends := range map[string]int{"undisturbed": 0, "one is killed": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := scaleLoad(t, 90)
			f := newFleet(t, 2, 2, byKafka(t))
			sent := f.send(l.batches)
			if ends > 0 {
				sent.await(t, 30)
				f.detectors[1].Stop(syscall.SIGKILL)
				sent.await(t, 60)
				f.detectors[1].start()
			}
			sent.wait()
			f.awaitAlertsOf(l) // nothing else says that all has been consumed
			assert.Empty(t, f.faults(l, ends))
		})
	}
}
