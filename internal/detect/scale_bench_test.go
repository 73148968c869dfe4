// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/cputime"
)

// BenchmarkScale counts the calls of many users, in random order. It reports
//
//   - ns/event, and as a multiple of a look-up of the same key in a Go map of as
//     many groups (x-map), both in turn;
//   - B/group, of heap, and by Stats;
//   - p99-us and max-us of a call of Observe, forgetting included;
//   - gc-%, the share of garbage collection in the CPU time, while a receiver makes
//     2 KB of garbage for every event.
//
// Ten million groups take about 4 GiB, the Go map included.
func BenchmarkScale(b *testing.B) {
	for _, batch := range []int{100, 1_000} {
		for _, t := range traffics {
			for _, groups := range t.groups {
				b.Run(fmt.Sprintf("%s/groups=%d/batch=%d", t.name, groups, batch), func(b *testing.B) {
					benchmarkScale(b, t, groups, batch)
				})
			}
		}
	}
}

// traffic is what many users do.
type traffic struct {
	name      string
	calls     int           // of a user, while one is remembered, on average
	retention time.Duration // in addition to a minute
	groups    []int         // how many users there are

	after   time.Duration // an intervention, that alone counts; 0: all calls do
	blocked int           // one in so many calls is an intervention; 0: none
}

var traffics = []traffic{
	{name: "quiet", calls: 2, retention: 59 * time.Minute, groups: []int{10_000, 1_000_000, 10_000_000}},
	{name: "busy", calls: 2, groups: []int{10_000, 1_000_000}},
	{name: "steady", calls: 20, retention: 59 * time.Minute, groups: []int{10_000}},
	{name: "dense", calls: 200, retention: 59 * time.Minute, groups: []int{1_000}},
	{name: "waiting", calls: 2, retention: 49 * time.Minute, groups: []int{10_000, 1_000_000}, after: 10 * time.Minute},
	{name: "following", calls: 2, retention: 29 * time.Minute, groups: []int{10_000, 1_000_000}, after: 30 * time.Minute, blocked: 10},
	{name: "dense-waiting", calls: 200, retention: 49 * time.Minute, groups: []int{1_000}, after: 10 * time.Minute},
}

func benchmarkScale(b *testing.B, t traffic, groups, batch int) {
	rule := detect.Rule{Threshold: 50, Size: time.Minute, Retention: t.retention, MaxBytes: 8 << 30, AfterIntervention: t.after}
	empty := heap()
	p := &population{
		detector: detect.New(rule), groups: groups, batch: batch, now: noon,
		pause: (rule.Size + rule.Retention + rule.AfterIntervention) / time.Duration(t.calls*groups), blocked: t.blocked,
		rng: rand.New(rand.NewPCG(1, uint64(groups))),
	}
	for group := 0; group < groups; group += batch { // everybody once
		p.observe(func(i int) int { return min(group+i, groups-1) })
	}
	anybody := func(int) int { return p.rng.IntN(groups) }
	round := max(groups, 200_000) / batch * batch
	for range round / batch {
		p.observe(anybody)
	}
	taken, emitted := heap()-empty, p.detector.Stats()

	calls := make([]time.Duration, 0, round/batch)
	before := cputime.Read()
	for range round / batch {
		for range batch {
			garbage = make([]byte, 2_000)
		}
		calls = append(calls, p.observe(anybody))
	}
	collecting := cputime.Read().CollectingSince(before)
	slices.Sort(calls)

	known := map[string]uint32{}
	for group := range groups {
		known[string(p.key(nil, group))] = uint32(group)
	}
	runtime.GC()
	var counting, looking time.Duration
	events := 0
	for b.Loop() {
		for done := 0; done < round; done += 20_000 { // in turn, and each long enough to have the caches to itself
			for range 20_000 / batch {
				counting += p.observe(anybody)
			}
			for range 20_000 / batch {
				looking += p.lookUp(known, anybody)
			}
			events += 20_000
		}
	}
	b.ReportMetric(float64(counting)/float64(events), "ns/event")
	b.ReportMetric(float64(looking)/float64(events), "ns/map")
	b.ReportMetric(float64(counting)/float64(looking), "x-map")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(calls[len(calls)*99/100])/1e3, "p99-us")
	b.ReportMetric(float64(calls[len(calls)-1])/1e3, "max-us")
	b.ReportMetric(100*collecting, "gc-%")
	b.ReportMetric(float64(taken)/float64(groups), "B/group")
	b.ReportMetric(float64(emitted.Bytes)/float64(groups), "stats-B/group")
	runtime.KeepAlive(known)
}

var (
	garbage []byte
	found   uint32
)

// population makes the calls of many users.
type population struct {
	detector *detect.Detector
	groups   int
	batch    int
	now      time.Time
	pause    time.Duration // between two calls, whoever makes them
	blocked  int           // one in so many calls is an intervention; 0: none
	rng      *rand.Rand

	events []detect.Event
	keys   [][]byte
	memory []byte
}

func (p *population) key(dst []byte, group int) []byte {
	var text [64]byte
	name := append(text[:0], "arn:aws:sts::111122223333:assumed-role/research/session-"...)
	for digit := 10_000_000; digit > 0; digit /= 10 {
		name = append(name, byte('0'+group/digit%10))
	}
	dst = binary.AppendUvarint(dst, uint64(len(name)))
	return detect.AppendKey(append(dst, name...), "111122223333")
}

// observe makes some users call, and returns how long the detector took.
func (p *population) observe(who func(i int) int) time.Duration {
	p.events, p.memory = p.events[:0], p.memory[:0]
	for i := range p.batch {
		p.now = p.now.Add(p.pause)
		start := len(p.memory)
		p.memory = p.key(p.memory, who(i))
		key := p.memory[start:len(p.memory):len(p.memory)]
		start = len(p.memory)
		p.memory = appendUUID(p.memory, p.rng)
		id := unsafe.String(&p.memory[start], len(p.memory)-start)
		p.events = append(p.events, detect.Event{
			Time: p.now.UnixNano(), Key: key, ID: id, RequestID: id,
			Model: "anthropic.claude-3-5-sonnet-20241022-v2:0", Operation: "Converse", Region: "us-east-1",
		})
		if p.blocked > 0 && i%p.blocked == 0 {
			e := &p.events[len(p.events)-1]
			e.Intervened, e.Uncounted, e.GuardrailID = true, true, "g0ex4mple001"
		}
	}
	begun := time.Now()
	p.detector.Observe(p.events, p.now)
	return time.Since(begun)
}

// lookUp looks some users up in a map, and returns how long that took.
func (p *population) lookUp(known map[string]uint32, who func(i int) int) time.Duration {
	p.keys, p.memory = p.keys[:0], p.memory[:0]
	for i := range p.batch {
		start := len(p.memory)
		p.memory = p.key(p.memory, who(i))
		p.keys = append(p.keys, p.memory[start:len(p.memory):len(p.memory)])
	}
	begun := time.Now()
	for _, key := range p.keys {
		found += known[string(key)]
	}
	return time.Since(begun)
}

func appendUUID(dst []byte, rng *rand.Rand) []byte {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:], rng.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rng.Uint64())
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, id[[...]int{0, 4, 6, 8, 10}[i]:end])
	}
	return dst
}
