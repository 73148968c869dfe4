// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

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

// TestDifferential reads random records with the reader and with the reference.
// All of a record comes from its seed; the seeds of a run follow each other.
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
			t.Fatal("more disagreements than anybody wants to read")
		}
	}
	t.Log("disagreements:", seen)
	t.Log("kinds:", kinds)
}

// TestEveryCut reads samples cut off, and short of one byte, and with one too
// many, at many places: at every one when there is time.
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

// TestEveryRepetition reads samples with each of their members said again in
// another way, before and behind it: the last one counts.
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

// TestAnnotatedReadsTheSame reads records that a trusted instance has annotated,
// whole and without their bodies: they must come out as they went in.
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
			continue // no timestamp reaches back so far
		}
		edge.Annotate(log, "p")
		var ids []invocation.Guardrail // versions are not handed on
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
		if bodyless { // and neither the time was only in the body, nor is there a record besides
			pcommon.NewValueEmpty().CopyTo(log.Body())
			same("without its body")
		}
	}
}

// TestReadersAreShared reads with one reader from several goroutines at once.
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

// logsOf is a log with one record that has a text for its body.
func logsOf(body string) plog.Logs {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
	return logs
}

func only(logs plog.Logs) (pcommon.Resource, pcommon.InstrumentationScope, plog.LogRecord) {
	r := logs.ResourceLogs().At(0)
	s := r.ScopeLogs().At(0)
	return r.Resource(), s.Scope(), s.LogRecords().At(0)
}

func readReference(logs plog.Logs, options invocation.Options) (invocation.Invocation, bool) {
	return reference{options}.read(only(logs))
}

var readers = map[string]*invocation.Reader{}

func readerOf(options invocation.Options) *invocation.Reader {
	key := fmt.Sprintf("%#v", options)
	if readers[key] == nil {
		readers[key] = invocation.NewReader(options)
	}
	return readers[key]
}

// readOne reads a record that stands alone.
func readOne(r *invocation.Reader, resource pcommon.Resource, scope pcommon.InstrumentationScope, log plog.LogRecord, into *invocation.Invocation) bool {
	r.Enter(resource, scope, into)
	if !r.Read(log, into) {
		return false
	}
	r.Describe(log, into)
	return true
}

// difference names what the reader says otherwise than the reference, as short
// as it can be said of many records alike. It is empty where they agree.
func difference(logs plog.Logs, options invocation.Options, into *invocation.Invocation) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what = fmt.Sprint("panic: ", p)
		}
	}()
	want, isOne := readReference(logs, options)
	resource, scope, log := only(logs)
	got := readOne(readerOf(options), resource, scope, log, into)
	if got != isOne {
		return fmt.Sprintf("invocation: reader %t, reference %t (%s)", got, isOne, want.Kind)
	}
	if !got {
		return ""
	}
	if into.Kind != want.Kind {
		return fmt.Sprintf("kind: reader %s, reference %s", into.Kind, want.Kind)
	}
	var names []string
	compare := func(name string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			names = append(names, name)
		}
	}
	compare("time", into.Time, want.Time)
	compare("time source", into.TimeSource, want.TimeSource)
	compare("request id", into.RequestID, want.RequestID)
	compare("user", into.User, want.User)
	compare("principal", into.Principal, want.Principal)
	compare("account", into.Account, want.Account)
	compare("region", into.Region, want.Region)
	compare("model", into.Model, want.Model)
	compare("operation", into.Operation, want.Operation)
	compare("guardrails", sorted(into.Guardrails), sorted(want.Guardrails))
	if names == nil {
		return ""
	}
	return "fields: " + names[0]
}

func explain(logs plog.Logs, options invocation.Options) string {
	var got invocation.Invocation
	resource, scope, log := only(logs)
	isOne := false
	func() {
		defer func() {
			if p := recover(); p != nil {
				isOne = false
			}
		}()
		isOne = readOne(readerOf(options), resource, scope, log, &got)
	}()
	want, wantOne := readReference(logs, options)
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	if err != nil {
		text = []byte(err.Error())
	}
	if len(text) > 5000 {
		text = append(text[:5000], "..."...)
	}
	out := fmt.Sprintf("  minimal: %s\n", text)
	if body := log.Body(); body.Type() == pcommon.ValueTypeStr || body.Type() == pcommon.ValueTypeBytes {
		raw := treeOf(body).text
		out += fmt.Sprintf("  body: %.3000s\n", strconv.Quote(raw))
	}
	return out + fmt.Sprintf("  reader:    %s\n  reference: %s\n  approved %q, %d patterns assumed guarded", show(got, isOne), show(want, wantOne), options.ApprovedGuardrails, len(options.AssumeGuarded))
}

func show(inv invocation.Invocation, isOne bool) string {
	if !isOne {
		return "not an invocation"
	}
	return fmt.Sprintf("%s time %d/%d id %q user %q principal %q account %q region %q model %q operation %q guardrails %q", inv.Kind, inv.Time, inv.TimeSource,
		inv.RequestID, inv.User, inv.Principal, inv.Account, inv.Region, inv.Model, inv.Operation, inv.Guardrails)
}

// shrink takes away from a record what can go while it still fails.
func shrink(logs plog.Logs, fails func(plog.Logs) bool) plog.Logs {
	for again := true; again; {
		again = false
		for i := 0; ; i++ {
			smaller := plog.NewLogs()
			logs.CopyTo(smaller)
			edits := removals(smaller)
			if i >= len(edits) {
				break
			}
			if edits[i](); fails(smaller) {
				logs, again = smaller, true
				i--
			}
		}
		for i := 0; i < len(texts(logs)); i++ {
			set := func(s string) plog.Logs {
				smaller := plog.NewLogs()
				logs.CopyTo(smaller)
				if v := texts(smaller)[i]; v.Type() == pcommon.ValueTypeStr {
					v.SetStr(s)
				} else {
					v.SetEmptyBytes().FromRaw([]byte(s))
				}
				return smaller
			}
			s := treeOf(texts(logs)[i]).text
			try := func(at, size int) bool {
				without := s[:at] + s[at+size:]
				smaller := set(without)
				if !fails(smaller) {
					return false
				}
				logs, s, again = smaller, without, true
				return true
			}
			for size := (len(s) + 1) / 2; size > 0; size /= 2 {
				for at := 0; at+size <= len(s); {
					if !try(at, size) {
						at += max(1, size/2)
					}
				}
			}
			for size := min(60, len(s)); size > 0 && len(s) < 1000; size-- { // so that brackets go in pairs
				for at := 0; at+size <= len(s); at++ {
					try(at, size)
				}
			}
		}
	}
	return logs
}

// removals are the ways to take one thing away from logs.
func removals(logs plog.Logs) (edits []func()) {
	resource, scope, log := only(logs)
	var ofValue func(v pcommon.Value)
	ofMap := func(m pcommon.Map) {
		for key, v := range m.All() {
			edits = append(edits, func() { m.Remove(key) })
			ofValue(v)
		}
	}
	ofValue = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeMap:
			ofMap(v.Map())
		case pcommon.ValueTypeSlice:
			for i, item := range v.Slice().All() {
				edits = append(edits, func() {
					at := 0
					v.Slice().RemoveIf(func(pcommon.Value) bool { at++; return at == i+1 })
				})
				ofValue(item)
			}
		default:
		}
	}
	ofMap(resource.Attributes())
	ofMap(scope.Attributes())
	ofMap(log.Attributes())
	ofValue(log.Body())
	if log.Body().Type() != pcommon.ValueTypeEmpty {
		edits = append(edits, func() { pcommon.NewValueEmpty().CopyTo(log.Body()) })
	}
	if log.Timestamp() != 0 {
		edits = append(edits, func() { log.SetTimestamp(0) })
	}
	if log.ObservedTimestamp() != 0 {
		edits = append(edits, func() { log.SetObservedTimestamp(0) })
	}
	return edits
}

// texts are the places in logs that hold a text.
func texts(logs plog.Logs) (out []pcommon.Value) {
	var ofValue func(v pcommon.Value)
	ofMap := func(m pcommon.Map) {
		for _, v := range m.All() {
			ofValue(v)
		}
	}
	ofValue = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
			out = append(out, v)
		case pcommon.ValueTypeMap:
			ofMap(v.Map())
		case pcommon.ValueTypeSlice:
			for _, item := range v.Slice().All() {
				ofValue(item)
			}
		default:
		}
	}
	resource, scope, log := only(logs)
	ofMap(resource.Attributes())
	ofMap(scope.Attributes())
	ofMap(log.Attributes())
	ofValue(log.Body())
	return out
}

// TestReferenceReadsJSON holds the reference's own decoder against the standard
// library's, wherever that one reads at all.
func TestReferenceReadsJSON(t *testing.T) {
	read, refused := 0, 0
	for seed := range uint64(1500) {
		g := newGenerator(seed)
		record := g.bedrock()
		for g.chance(30) {
			record, _ = g.disturb(record).(members)
		}
		body := g.render(record)
		for g.chance(40) {
			body = g.damage(body)
		}
		got, err := parseTree(body)
		if !json.Valid([]byte(body)) {
			refused++
			continue
		}
		read++
		require.NoError(t, err, "seed %d: %q", seed, body)
		want, err := libraryTree(body)
		if err != nil { // a number too large for it
			continue
		}
		require.Equal(t, want, printed(got), "seed %d: %q", seed, body)
	}
	require.Greater(t, read, 500)
	require.Greater(t, refused, 250)
}

// libraryTree prints what encoding/json finds in a text, token by token.
func libraryTree(s string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(s))
	var out bytes.Buffer
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return out.String(), nil
		case err != nil:
			return "", err
		}
		fmt.Fprintf(&out, "%#v ", token)
	}
}

// printed prints a tree in the same way.
func printed(n *node) string {
	var out bytes.Buffer
	var walk func(n *node)
	valid := func(s string) string { // the library mends broken UTF-8, byte by byte
		var b strings.Builder
		for len(s) > 0 {
			r, size := utf8.DecodeRuneInString(s)
			b.WriteRune(r)
			s = s[size:]
		}
		return b.String()
	}
	walk = func(n *node) {
		switch n.kind {
		case null:
			fmt.Fprintf(&out, "%#v ", nil)
		case truth:
			fmt.Fprintf(&out, "%#v ", n.yes)
		case number:
			fmt.Fprintf(&out, "%#v ", n.number)
		case text:
			fmt.Fprintf(&out, "%#v ", valid(n.text))
		case list:
			fmt.Fprintf(&out, "%#v ", json.Delim('['))
			for _, item := range n.items {
				walk(item)
			}
			fmt.Fprintf(&out, "%#v ", json.Delim(']'))
		case object:
			fmt.Fprintf(&out, "%#v ", json.Delim('{'))
			for _, f := range n.fields {
				fmt.Fprintf(&out, "%#v ", valid(f.key))
				walk(f.value)
			}
			fmt.Fprintf(&out, "%#v ", json.Delim('}'))
		}
	}
	walk(n)
	return out.String()
}

// TestRecordStaysAsItIs reads records and compares them with what they were.
func TestRecordStaysAsItIs(t *testing.T) {
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

// sorted puts guardrails in an order of their own: where a key is doubled, theirs
// says nothing.
func sorted(guardrails []invocation.Guardrail) []invocation.Guardrail {
	guardrails = append([]invocation.Guardrail{}, guardrails...)
	slices.SortFunc(guardrails, func(a, b invocation.Guardrail) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	})
	return guardrails
}
