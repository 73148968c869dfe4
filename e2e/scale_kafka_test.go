// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

const kafkaPartitions = 12 // of the topic

// byKafka starts a broker, and returns how to share out through it. The broker is franz-go's, inside this process: it speaks the protocol,
// consumer groups and static members included, to the real exporter and receiver. It is not Kafka: nothing is replicated, written to disk,
// or slow, and it never fails.
func byKafka(t *testing.T) way {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(kafkaPartitions, "gen_ai_guardrail"),
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

// awaitConsumers waits until the detectors have shared out the topic's partitions. The first one to join the group has all of them at first,
// and would count users that are another one's a moment later. A member that is killed while the others wait for it to join stalls the group
// until the end of its rebalance, a minute later, and then loses its partitions.
func (f *fleet) awaitConsumers() {
	f.t.Helper()
	for _, d := range f.detectors {
		require.Eventually(f.t, func() bool {
			owned := d.Sample("otelcol_kafka_receiver_partition_start") - d.Sample("otelcol_kafka_receiver_partition_close")
			return owned == float64(kafkaPartitions/len(f.detectors))
		}, collector.Patience, 20*time.Millisecond, "%s has not got its share of the topic", d.name)
	}
}

// Of two consumers in a group one is killed, and is back before its session ends: its partitions, and with them its users, stay its own.
func TestDetectorsBehindKafkaRaiseTheAlertsOfOneInstance(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]int{"undisturbed": 0, "one is killed": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := scaleLoad(t, 90)
			f := newFleet(t, 2, 2, byKafka(t))
			f.awaitConsumers()
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
