// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/testing/oracle"
)

var soak = flag.Duration("soak", 0, "how long the soak test runs, at least 2m; 0 skips it")

// soakRule is the rule of testdata/soak.yaml, as the oracle takes it.
var soakRule = map[string]oracle.Rule{"unguarded_invocations": {Type: oracle.Sliding, Size: 10 * time.Second, Threshold: 5}}

// reading is a measurement of a collector.
type reading struct {
	at            time.Duration
	memory, state int64 // bytes
	goroutines    int   // measured when it stops, otherwise 0
	collectors    int   // started so far
}

// Hours of crashes, refusals and floods of users who call once do not make a collector grow.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("runs only with -soak=10m or another duration")
	}
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	m := newMemory(t)
	rng := rand.New(rand.NewPCG(*seed, 1))
	began := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), began.Add(*soak))
	defer cancel()
	lines := newLine()
	accepted := sendLive(ctx, t, lines)
	go misbehave(ctx, m.sink)

	var readings []reading
	total := received{records: map[string]bool{}}
	for collectors := 1; ctx.Err() == nil; collectors++ {
		p := m.start(t, "e2e/testdata/soak.yaml")
		lines.connect(p.Client)
		life, over := context.WithTimeout(ctx, *soak/30+time.Duration(rng.Int64N(int64(*soak/8))))
		for tick := time.NewTicker(*soak / 120); life.Err() == nil; {
			select {
			case <-tick.C:
				readings = append(readings, reading{time.Since(began), p.Memory(), m.size(t), 0, collectors})
				total.add(receive(t, m.sink.Take()))
			case <-life.Done():
				tick.Stop()
			}
		}
		over()
		signal := syscall.SIGQUIT // as sudden as a kill, and it prints the goroutines
		if collectors%3 == 0 {
			signal = syscall.SIGTERM
		}
		result := p.Stop(signal)
		last := reading{time.Since(began), readings[len(readings)-1].memory, m.size(t), strings.Count(result.Stderr, "\ngoroutine "), collectors}
		readings = append(readings, last)
		t.Logf("%v: memory %d MiB, state %d KiB, goroutines %d, collector %d, records %d, alerts %d", last.at.Round(time.Second),
			last.memory>>20, last.state>>10, last.goroutines, collectors, len(total.records), len(total.opened))
	}

	// Everything that is still unsent is delivered.
	m.sink.Become(sink.Accept)
	p := m.start(t, "e2e/testdata/soak.yaml")
	lines.connect(p.Client)
	l := load{batches: accepted(), rules: soakRule}
	p.Stop(syscall.SIGTERM)
	total.add(receive(t, m.sink.Take()))
	assert.Empty(t, total.faults(l, readings[len(readings)-1].collectors, true))
	requireFlat(t, readings)
}

// requireFlat compares the two halves of a soak that follow a first quarter of warming up. From one to the other the median of the
// memory may grow by 20 % and a MiB, the maximum of the state by a factor of two, in which its file grows, and the maximum of the
// goroutines by 20.
func requireFlat(t *testing.T, readings []reading) {
	t.Helper()
	var halves [2][]reading
	for _, r := range readings {
		if r.at > *soak/4 {
			half := 0
			if r.at > *soak*5/8 {
				half = 1
			}
			halves[half] = append(halves[half], r)
		}
	}
	compare := func(what string, judge func([]reading, func(reading) int64) int64, of func(reading) int64, limit func(int64) int64) {
		first, second := judge(halves[0], of), judge(halves[1], of)
		t.Logf("%s: %d in the first half, %d in the second", what, first, second)
		assert.LessOrEqual(t, second, limit(first), what)
	}
	compare("memory", median, func(r reading) int64 { return r.memory }, func(first int64) int64 { return first*6/5 + 1<<20 })
	compare("state", highest, func(r reading) int64 { return r.state }, func(first int64) int64 { return 2 * first })
	compare("goroutines", highest, func(r reading) int64 { return int64(r.goroutines) }, func(first int64) int64 { return first + 20 })
}

func median(readings []reading, of func(reading) int64) int64 {
	var values []int64
	for _, r := range readings {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func highest(readings []reading, of func(reading) int64) (maximum int64) {
	for _, r := range readings {
		maximum = max(maximum, of(r))
	}
	return maximum
}

// size returns the size of the state on disk in bytes.
func (m memory) size(t *testing.T) (bytes int64) {
	t.Helper()
	for _, path := range m.files(t) {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// misbehave makes the sink refuse everything, only alerts or only records, for a few seconds at a time.
func misbehave(ctx context.Context, s *sink.Sink) {
	for _, behaviour := range slices.Repeat([]sink.Behaviour{
		sink.Accept, sink.Refuse, sink.Accept, sink.To(holdsAlerts, sink.Refuse), sink.To(holdsRecords, sink.Refuse),
	}, 1000) {
		s.Become(behaviour)
		select {
		case <-ctx.Done():
			return
		case <-time.After(4 * time.Second):
		}
	}
}

// sendLive sends calls dated now until ctx ends: by four hundred users around the threshold, and in every other ten seconds also by
// users who never call again. It returns a function that waits until all of them are accepted, and returns them.
func sendLive(ctx context.Context, t *testing.T, l *line) (accepted func() [][]bedrock.Call) {
	t.Helper()
	const senders, users = 4, 400
	batches := make([][][]bedrock.Call, senders)
	toTheEnd, giveUp := context.WithCancel(context.Background())
	t.Cleanup(giveUp)
	var wg sync.WaitGroup
	for sender := range senders {
		rng := rand.New(rand.NewPCG(*seed, uint64(2+sender)))
		wg.Go(func() {
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				now := time.Now().UTC()
				names := slices.Repeat([]string{fmt.Sprintf("user-%d", rng.IntN(users))}, 1+rng.IntN(3))
				if now.Second()/10%2 == 1 {
					for i := range 10 {
						names = append(names, fmt.Sprintf("once-%d-%d-%d", sender, n, i))
					}
				}
				var batch []bedrock.Call
				for i, name := range names {
					call := bedrock.Burst(name, 1)[0]
					call.RequestID = fmt.Sprintf("request-%d-%d-%d", sender, n, i)
					call.Time = now.Add(-time.Duration(rng.Int64N(int64(2 * time.Second))))
					batch = append(batch, call)
				}
				if l.deliver(toTheEnd, batch) {
					batches[sender] = append(batches[sender], batch)
				}
				<-tick.C
			}
		})
	}
	return func() [][]bedrock.Call {
		wg.Wait()
		return slices.Concat(batches...)
	}
}

func (r *received) add(more received) {
	for id := range more.records {
		r.records[id] = true
	}
	r.opened = append(r.opened, more.opened...)
}
