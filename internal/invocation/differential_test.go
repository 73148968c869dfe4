// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

var (
	records   = flag.Int("records", 5000, "how many random records TestDifferential reads")
	firstSeed = flag.Uint64("seed", 0, "seed of the first random record; 0: a random one")
)

// TestDifferential reads random records with the reader and with the reference. A seed
// determines a whole record; a run uses consecutive seeds.
func TestDifferential(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	t.Logf("seeds %d to %d", seed, seed+uint64(*records)-1)
	seen := map[string]int{}
	kinds := map[string]int{}
	var reused invocation.Invocation
	for s := seed; s < seed+uint64(*records); s++ {
		logs, options := generate(s)
		want, isOne := readReference(logs, options)
		if isOne {
			kinds[want.Kind.String()]++
		} else {
			kinds["no invocation"]++
		}
		what := difference(logs, options, &reused)
		if what == "" {
			continue
		}
		if seen[what]++; seen[what] > 1 {
			continue
		}
		t.Errorf("seed %d: %s\n  reproduce: go test ./internal/invocation -run TestDifferential -records=1 -seed=%d\n%s", s, what, s,
			explain(shrink(logs, func(l plog.Logs) bool {
				return difference(l, options, &invocation.Invocation{}) == what
			}), options))
		if len(seen) == 30 {
			t.Fatal("too many disagreements; the run ends here")
		}
	}
	t.Log("disagreements:", seen)
	t.Log("kinds:", kinds)
}

// TestEveryCut reads samples that are cut off, lack one byte or have one too many, at many
// positions: at every one with -records=100000 or more.
func TestEveryCut(t *testing.T) {
	var reused invocation.Invocation
	for _, s := range samples(t) {
		stride := 1
		if *records < 100_000 {
			stride = 1 + len(s.text)/50
		}
		if s.otlp() {
			continue
		}
		for at := rand.IntN(stride); at < len(s.text); at += stride {
			for _, body := range []string{s.text[:at], s.text[:at] + s.text[at+1:], s.text[:at] + `"` + s.text[at:]} {
				logs := logsOf(body)
				if what := difference(logs, s.Options.options(), &reused); what != "" {
					t.Fatalf("%s at %d: %s\n%s", s.File, at, what, explain(logs, s.Options.options()))
				}
			}
		}
	}
}

// TestEveryRepetition reads samples in which each member is repeated with another value,
// before it and at the end of its object: the last one counts.
func TestEveryRepetition(t *testing.T) {
	others, err := parseTree(`[null, 7, "x", "NONE", {}, [], [{}], {"k1":{}}]`)
	require.NoError(t, err)
	var reused invocation.Invocation
	for _, s := range samples(t) {
		record, err := parseTree(s.text)
		if err != nil || record.kind != object || s.otlp() {
			continue
		}
		check := func() {
			logs := logsOf(record.json())
			if what := difference(logs, s.Options.options(), &reused); what != "" {
				t.Fatalf("%s: %s\n%s", s.File, what, explain(logs, s.Options.options()))
			}
		}
		var repeat func(n *node)
		repeat = func(n *node) {
			for _, item := range n.items {
				repeat(item)
			}
			fields := n.fields
			for i, f := range fields {
				repeat(f.value)
				for _, other := range others.items {
					again := []field{{key: f.key, value: other}}
					n.fields = slices.Concat(fields, again)
					check()
					n.fields = slices.Concat(fields[:i], again, fields[i:])
					check()
				}
				n.fields = fields
			}
		}
		repeat(record)
	}
}

// TestAnnotatedReadsTheSame reads records that a trusted instance has annotated, whole
// and without their bodies: the invocation must stay the same.
func TestAnnotatedReadsTheSame(t *testing.T) {
	for seed := range uint64(max(2000, *records/10)) {
		logs, options := generate(seed)
		resource, scope, log := only(logs)
		split := treeOfMap(log.Attributes())
		bodyless := log.Timestamp() == 0 && split.get("schemaType") == nil && split.get("modelId") == nil
		var edge, detector invocation.Invocation
		if !readOne(readerOf(options), resource, scope, log, &edge) {
			continue
		}
		if edge.Time <= 0 && edge.TimeSource != invocation.NoTime {
			continue // a timestamp cannot hold such a time
		}
		edge.Annotate(log, "p")
		var ids []invocation.Guardrail // annotations do not carry versions
		for _, g := range edge.Guardrails {
			if !slices.Contains(ids, invocation.Guardrail{ID: g.ID}) {
				ids = append(ids, invocation.Guardrail{ID: g.ID})
			}
		}
		edge.Guardrails = ids
		options.TrustAnnotations = true
		same := func(form string) {
			require.True(t, readOne(readerOf(options), resource, scope, log, &detector), "seed %d %s", seed, form)
			require.Equal(t, show(edge, true), show(detector, true), "seed %d %s", seed, form)
		}
		same("whole")
		if bodyless { // the time is not in the body alone, and there is no other record
			pcommon.NewValueEmpty().CopyTo(log.Body())
			same("without its body")
		}
	}
}

// TestReadersAreShared uses one reader in several goroutines at once.
func TestReadersAreShared(t *testing.T) {
	logs, options := logsOf(guardedBody("Converse", "Soup.")), optionSets[2]
	reader := invocation.NewReader(options)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var into invocation.Invocation
			for range 500 {
				resource, scope, log := only(logs)
				assert.True(t, readOne(reader, resource, scope, log, &into))
				assert.Equal(t, invocation.Kind{Verdict: invocation.Guarded, Evidence: invocation.Applied}, into.Kind)
			}
		})
	}
	wg.Wait()
}

// TestReadDoesNotChangeTheRecord reads records and compares them with their copies.
func TestReadDoesNotChangeTheRecord(t *testing.T) {
	for seed := range uint64(300) {
		logs, options := generate(seed)
		before := plog.NewLogs()
		logs.CopyTo(before)
		resource, scope, log := only(logs)
		readOne(readerOf(options), resource, scope, log, &invocation.Invocation{})
		marshal := func(l plog.Logs) []byte {
			raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(l)
			require.NoError(t, err)
			return raw
		}
		require.True(t, slices.Equal(marshal(before), marshal(logs)), "seed %d", seed)
	}
}
