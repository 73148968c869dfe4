// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

var cost = flag.Bool("cost", false, "measure what edges and detectors cost, for docs/scale.md")

// costShape is a kind of records, one in ten of them without a guardrail, by ten thousand users.
type costShape struct {
	name     string
	requests int
	of       func([]bedrock.Call) plog.Logs
	text     int // bytes of prompt and answer
}

const costRequest = 500 // records

var costShapes = []costShape{
	{"attribute records", 100, costTelemetry, 0},
	{"bodies of 2 KB", 40, func(calls []bedrock.Call) plog.Logs { return bedrock.Logs(calls...) }, 1300},
}

func costTelemetry(calls []bedrock.Call) plog.Logs {
	logs := telemetry(calls)
	for i, record := range recordsIn(logs) {
		if calls[i].Guardrail != "" {
			record.Attributes().PutStr("gen_ai.guardrail.id", calls[i].Guardrail)
		}
	}
	return logs
}

func (s costShape) logs() []plog.Logs {
	requests := make([]plog.Logs, s.requests)
	for r := range requests {
		calls := bedrock.Burst("cost", costRequest)
		for i := range calls {
			n := r*costRequest + i
			calls[i].User = bedrock.User(fmt.Sprintf("user-%d", n%10_000))
			calls[i].RequestID = fmt.Sprintf("request-%d", n)
			calls[i].Time = calls[i].Time.Add(time.Duration(n) * time.Millisecond)
			calls[i].Prompt = strings.Repeat("What is the river called? ", s.text/2/26)
			calls[i].Answer = strings.Repeat("It is called the Elbe here. ", s.text/2/28)
			if (n+n/10_000)%10 > 0 { // each user in turn, so that nobody alerts
				calls[i].Guardrail = "gr1"
			}
		}
		requests[r] = s.of(calls)
	}
	return requests
}

// The table of docs/scale.md: CPU time a record, as the kernel accounts it to each process.
func TestCostOfScale(t *testing.T) {
	if !*cost {
		t.Skip("only with -cost")
	}
	whole := "yaml:processors::transform/strip::log_statements: []"
	builtIn := "yaml:processors::gen_ai_guardrail::rules: [{}]"
	detailed := "yaml:service::telemetry::metrics::level: detailed"
	for _, shape := range costShapes {
		requests := shape.logs()
		records := float64(shape.requests * costRequest)
		line := func(name string, cpu float64, more string) {
			t.Logf("%-18s %-42s %6.0f ns %s", shape.name, name, cpu/records*1e9, more)
		}

		s := sink.Start(t)
		settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend", receiveOnSocket, builtIn)
		c := shipped(t, settings, s)
		line("single node", spend(t, c, requests, c), "")
		c.Stop(syscall.SIGTERM)

		for name, w := range map[string]way{
			"ranges, whole":                  byRanges.with(whole, detailed),
			"ranges, stripped":               byRanges.with(detailed),
			"ranges, stripped, counted only": byRanges.with("config/scale-out/counted-only.yaml", detailed),
			"ring, whole":                    byRing.with(whole, detailed),
			"ring, stripped":                 byRing.with(detailed),
		} {
			w.detector = []string{builtIn}
			f := newFleet(t, 3, 1, w)
			e := f.edges[0].Collector
			detectors := []*collector.Collector{f.detectors[0].Collector, f.detectors[1].Collector, f.detectors[2].Collector}
			before := cpuOf(detectors)
			edge := spend(t, e, requests, e)
			detector := cpuOf(detectors) - before
			var sent, stored, memory float64
			counted := records / 10
			for metric, value := range collector.Samples(e.Scrape()) {
				if strings.HasPrefix(metric, "otelcol_exporter_queue_batch_send_size_bytes_sum") && strings.Contains(metric, "detector") {
					sent += value
				}
			}
			for _, d := range f.detectors {
				memory += d.Sample("otelcol_processor_gen_ai_guardrail_state_bytes")
				stored += sizeOf(t, d.dir)
			}
			line(name+": edge", edge, fmt.Sprintf("%.0f bytes a record to detectors", sent/records))
			line(name+": detectors", detector, fmt.Sprintf("%.0f bytes in memory, %.0f on disk, a counted invocation", memory/counted, stored/counted))
			f.stop()
			f.out.Take()
		}
	}
}

// spend sends requests to a collector by two senders, waits until all are exported, and returns the CPU seconds that took the given one.
func spend(t *testing.T, to *collector.Collector, requests []plog.Logs, of *collector.Collector) float64 {
	t.Helper()
	client := to.Dial(t)
	before := of.CPU()
	var senders sync.WaitGroup
	errs := make([]error, 2)
	for sender := range errs {
		senders.Go(func() {
			for i := sender; i < len(requests) && errs[sender] == nil; i += len(errs) {
				errs[sender] = client.Send(t.Context(), requests[i])
			}
		})
	}
	senders.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	to.AwaitSample(queued, 0)
	return (of.CPU() - before).Seconds()
}

func cpuOf(collectors []*collector.Collector) (seconds float64) {
	for _, c := range collectors {
		seconds += c.CPU().Seconds()
	}
	return seconds
}

func sizeOf(t *testing.T, dir string) (bytes float64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += float64(info.Size())
		}
		return err
	}))
	return bytes
}
