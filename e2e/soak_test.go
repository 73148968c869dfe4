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

var soak = flag.Duration("soak", 0, "how long to soak, at least 2m; 0: not at all")

// soakRule is the rule of testdata/soak.yaml.
var soakRule = map[string]oracle.Rule{"unguarded_invocations": {Type: oracle.Sliding, Size: 10 * time.Second, Threshold: 5}}

// reading is what a collector takes at a moment.
type reading struct {
	at                time.Duration
	memory, state     int64 // bytes
	goroutines, lives int   // at its end, 0 before; how many collectors there were
}

// Hours of crashes, refusals and floods of users that come once leave a collector as it was after minutes.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("asked for by -soak=10m")
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
	for lives := 1; ctx.Err() == nil; lives++ {
		p := m.start(t, "e2e/testdata/soak.yaml")
		lines.connect(p.Client)
		life, over := context.WithTimeout(ctx, *soak/30+time.Duration(rng.Int64N(int64(*soak/8))))
		for tick := time.NewTicker(*soak / 120); life.Err() == nil; {
			select {
			case <-tick.C:
				readings = append(readings, reading{time.Since(began), p.Memory(), m.size(t), 0, lives})
				total.add(receive(t, m.sink.Take()))
			case <-life.Done():
				tick.Stop()
			}
		}
		over()
		signal := syscall.SIGQUIT // which is as sudden as a kill, and lists the goroutines
		if lives%3 == 0 {
			signal = syscall.SIGTERM
		}
		result := p.Stop(signal)
		last := reading{time.Since(began), readings[len(readings)-1].memory, m.size(t), strings.Count(result.Stderr, "\ngoroutine "), lives}
		readings = append(readings, last)
		t.Logf("%v: memory %d MiB, state %d KiB, goroutines %d, collector %d, records %d, alerts %d", last.at.Round(time.Second),
			last.memory>>20, last.state>>10, last.goroutines, lives, len(total.records), len(total.opened))
	}

	// What was under way is sent to the end.
	m.sink.Become(sink.Accept)
	p := m.start(t, "e2e/testdata/soak.yaml")
	lines.connect(p.Client)
	l := load{accepted(), soakRule}
	p.Stop(syscall.SIGTERM)
	total.add(receive(t, m.sink.Take()))
	assert.Empty(t, total.faults(l, readings[len(readings)-1].lives, true))
	requireFlat(t, readings)
}

// requireFlat compares the second half of a soak with the first, after a quarter to warm up: the middle of the memory by 20 % and
// a MiB; the most of the state by a doubling, which is how its file grows; the most of the goroutines by 20.
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
	compare := func(what string, judge func([]reading, func(reading) int64) int64, of func(reading) int64, most func(int64) int64) {
		first, second := judge(halves[0], of), judge(halves[1], of)
		t.Logf("%s: %d in the first half, %d in the second", what, first, second)
		assert.LessOrEqual(t, second, most(first), what)
	}
	compare("memory", middle, func(r reading) int64 { return r.memory }, func(first int64) int64 { return first*6/5 + 1<<20 })
	compare("state", highest, func(r reading) int64 { return r.state }, func(first int64) int64 { return 2 * first })
	compare("goroutines", highest, func(r reading) int64 { return int64(r.goroutines) }, func(first int64) int64 { return first + 20 })
}

func middle(readings []reading, of func(reading) int64) int64 {
	var values []int64
	for _, r := range readings {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func highest(readings []reading, of func(reading) int64) (most int64) {
	for _, r := range readings {
		most = max(most, of(r))
	}
	return most
}

// size is how much the state takes on disk.
func (m memory) size(t *testing.T) (bytes int64) {
	t.Helper()
	for _, path := range m.files(t) {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// misbehave refuses everything, or only alerts, for a while now and then.
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

// sendLive has senders send calls as they happen until ctx ends: four hundred users around the threshold, and every other ten
// seconds users whom nobody sees again. It returns a function that waits until all is accepted, and returns it.
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
