// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package judge turns texts into what a backtest keeps of them: it has the processor's own reader judge each record
// and its rules say what they count, adds that up, and makes a fact of what must be put in order.
package judge

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/explain"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/fact"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/order"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/invocation"
)

// Judge holds what all workers share.
type Judge struct {
	Logs     *invocation.Reader // of log records
	Spans    *invocation.Reader
	Rules    []engine.OfflineRule
	From, To time.Time // of the calls that are taken, To excluded; zero: no limit

	Explain string // request id of the invocations to be explained; empty: none
	Shipped bool   // also keep what the SIEM's rule as shipped counts
}

// Worker judges the texts of one goroutine.
type Worker struct {
	Tally *analysis.Tally
	Facts order.Batch // of what was judged since it was emptied

	Explained []*explain.Record

	judge     *Judge
	inv       invocation.Invocation
	plain     invocation.Source // a record without anything around it, whose body is a text
	scratch   plog.LogRecord    // for the pieces of a record
	collected []engine.Collected
	keys      []byte
	fact      fact.Fact
}

// NewWorker returns a worker.
func (j *Judge) NewWorker() *Worker {
	logs := plog.NewLogs().ResourceLogs().AppendEmpty()
	scope := logs.ScopeLogs().AppendEmpty()
	return &Worker{
		Tally:     analysis.NewTally(len(j.Rules)),
		judge:     j,
		plain:     invocation.Source{Resource: logs.Resource(), Scope: scope.Scope(), Record: scope.LogRecords().AppendEmpty()},
		scratch:   plog.NewLogRecord(),
		collected: make([]engine.Collected, len(j.Rules)),
	}
}

// Texts are texts, each a record or a document of several, in one piece of memory.
type Texts struct {
	All  string // one after another
	Ends []int  // of each text
}

// Texts judges texts.
func (w *Worker) Texts(texts Texts) {
	w.enter(w.plain)
	start := 0
	for _, end := range texts.Ends {
		text := texts.All[start:end]
		start = end
		if isDocument(text) && w.document(text) {
			w.enter(w.plain)
			continue
		}
		w.plain.Record.Body().SetStr(text)
		w.record(w.plain)
	}
	w.inv.Clear() // keeps no text
	w.plain.Record.Body().SetStr("")
}

func (w *Worker) enter(s invocation.Source) { w.judge.Logs.Enter(s.Resource, s.Scope, &w.inv) }

// record judges a log record.
func (w *Worker) record(s invocation.Source) {
	w.Tally.Records++
	if !w.judge.Logs.Read(s.Record, &w.inv) {
		return
	}
	if w.inv.Evidence == invocation.Several && w.split(s) {
		return
	}
	w.judge.Logs.Describe(s.Record, &w.inv)
	w.take(s)
}

// span judges a span.
func (w *Worker) span(s invocation.Source) {
	w.Tally.Records++
	if w.judge.Spans.ReadSpan(s.Span, &w.inv) {
		w.judge.Spans.DescribeSpan(s.Span, &w.inv)
		w.take(s)
	}
}

// maxDepth is how many lists are split, one in the other.
const maxDepth = 4

// split judges the records that a record holds several of. It reports false if it finds none in it.
func (w *Worker) split(s invocation.Source) bool {
	body := s.Record.Body()
	var pieces []string
	switch body.Type() {
	case pcommon.ValueTypeSlice:
		for _, element := range body.Slice().All() {
			pieces = append(pieces, element.AsString())
		}
	case pcommon.ValueTypeEmpty:
		for _, value := range s.Record.Attributes().All() { // the wrapper is one of them
			pieces = append(pieces, value.AsString())
		}
	default:
		pieces = source.Pieces(body.AsString())
	}
	rest := plog.NewLogRecord() // once: the body may be large
	s.Record.CopyTo(rest)
	if body.Type() == pcommon.ValueTypeEmpty {
		rest.Attributes().Clear()
	}
	rest.Body().SetStr("")
	found := w.pieces(invocation.Source{Resource: s.Resource, Scope: s.Scope, Record: rest}, pieces, 1)
	if found > 0 {
		w.Tally.Wrappers++
		w.Tally.Split += int64(found)
		return true
	}
	w.judge.Logs.Read(s.Record, &w.inv) // again, since the pieces have overwritten it
	return false
}

// pieces judges the texts in the place of the body that they were in, each with the rest of its record, and returns how
// many records are among them.
func (w *Worker) pieces(s invocation.Source, texts []string, depth int) (found int) {
	for _, text := range texts {
		piece, ok := w.piece(s, text)
		if !ok {
			continue
		}
		if w.inv.Evidence == invocation.Several && depth < maxDepth {
			if inner := w.pieces(s, source.Pieces(text), depth+1); inner > 0 {
				found += inner
				continue
			}
			piece, _ = w.piece(s, text)
		}
		w.judge.Logs.Describe(piece.Record, &w.inv)
		w.take(piece)
		found++
	}
	return found
}

// piece reads a text with the rest of the record that it was in. ok is false if it is no invocation.
func (w *Worker) piece(s invocation.Source, text string) (piece invocation.Source, ok bool) {
	s.Record.CopyTo(w.scratch)
	w.scratch.Body().SetStr(text)
	piece = invocation.Source{Resource: s.Resource, Scope: s.Scope, Record: w.scratch}
	return piece, w.judge.Logs.Read(piece.Record, &w.inv)
}

// take counts the invocation that was just read and described.
func (w *Worker) take(s invocation.Source) {
	inv := &w.inv
	if !w.judge.takes(inv) {
		w.Tally.Outside++
		return
	}
	w.Tally.Count(inv)
	w.keep(s)
	if w.judge.Explain != "" && inv.RequestID == w.judge.Explain && len(w.Explained) < maxExplained {
		w.Explained = append(w.Explained, w.explain(s))
	}
}

// takes reports whether an invocation lies within the time that is looked at.
func (j *Judge) takes(inv *invocation.Invocation) bool {
	if j.From.IsZero() && j.To.IsZero() {
		return true
	}
	at := time.Unix(0, inv.Time)
	return inv.TimeSource != invocation.NoTime && !at.Before(j.From) && (j.To.IsZero() || at.Before(j.To))
}

// keep makes a fact of an invocation, if it matters when it happened: of one that a rule counts, and of a guarded one.
func (w *Worker) keep(s invocation.Source) {
	inv, f := &w.inv, &w.fact
	*f = fact.Fact{Kind: inv.Kind, Rules: f.Rules[:0]}
	w.keys = w.keys[:0]
	for i, rule := range w.judge.Rules {
		event, excluded := rule.Collect(&w.collected[i], inv, &s)
		if excluded != "" {
			w.Tally.Excluded[i][excluded]++
		}
		of := fact.Rule{}
		start := len(w.keys)
		switch {
		case event != nil:
			w.keys = append(w.keys, event.Key...)
			of.Counted, of.Intervened = !event.Uncounted, event.Intervened
			f.Flags |= fact.Matters
			f.ID, f.GuardrailID = event.ID, cmp.Or(f.GuardrailID, event.GuardrailID)
			if event.IDOnly {
				f.Flags |= fact.IDOnly
			}
		case inv.Verdict == invocation.Guarded:
			w.keys, _ = rule.AppendKey(w.keys, inv, &s)
		}
		of.Key = string(w.keys[start:])
		f.Rules = append(f.Rules, of)
	}
	if inv.TimeSource == invocation.NoTime {
		return
	}
	w.keepShipped(s)
	if f.Flags&(fact.Matters|fact.Shipped) == 0 && inv.Verdict != invocation.Guarded {
		return
	}
	if inv.Intervened {
		f.Flags |= fact.Intervened
	}
	f.RequestID, f.Principal = inv.RequestID, inv.Principal
	f.Region, f.Model, f.Operation = inv.Region, inv.Model, inv.Operation
	w.Facts.Append(inv.Time, f.Append)
}

// keepShipped notes in the fact what the SIEM's rule as shipped counts.
func (w *Worker) keepShipped(s invocation.Source) {
	if !w.judge.Shipped || s.Record == (plog.LogRecord{}) { // it reads no spans
		return
	}
	r, ok := siem.Read(s.Record.Body().AsString())
	if !ok && s.Record.Attributes().Len() > 0 { // a record in an attribute, or split into them
		all := pcommon.NewValueMap()
		s.Record.Attributes().CopyTo(all.Map())
		r, ok = siem.Read(all.AsString())
	}
	if ok && !r.Named && r.User != "" {
		w.fact.Flags |= fact.Shipped
		w.fact.User, w.fact.Account = r.User, r.Account
	}
}

// maxExplained is how many records with the same request id a worker explains.
const maxExplained = 20

// explain returns what is known of the invocation that was just taken. It shares no memory with the record.
func (w *Worker) explain(s invocation.Source) *explain.Record {
	inv := &w.inv
	record := &explain.Record{
		Kind: inv.Kind, Observed: inv.TimeSource == invocation.ObservedTime, Intervened: inv.Intervened, FromWrapper: s.Record == w.scratch,
		RequestID: strings.Clone(inv.RequestID), User: strings.Clone(inv.User), Principal: strings.Clone(inv.Principal), Account: strings.Clone(inv.Account),
		Region: strings.Clone(inv.Region), Model: strings.Clone(inv.Model), Operation: strings.Clone(inv.Operation),
	}
	if inv.TimeSource != invocation.NoTime {
		record.Time = time.Unix(0, inv.Time).UTC()
	}
	for _, g := range inv.Guardrails {
		record.Guardrails = append(record.Guardrails, invocation.Guardrail{ID: strings.Clone(g.ID), Version: strings.Clone(g.Version)})
	}
	for i, rule := range w.judge.Rules {
		event, excluded := rule.Collect(&w.collected[i], inv, &s)
		of := explain.Rule{ID: rule.Alert().ID, Counted: event != nil && !event.Uncounted, Excluded: excluded}
		if event != nil {
			of.Key = string(event.Key)
		}
		record.Rules = append(record.Rules, of)
	}
	return record
}

// isDocument reports whether a text is an OTLP-JSON document, by its first member.
func isDocument(text string) bool {
	rest, ok := strings.CutPrefix(text, "{")
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	return strings.HasPrefix(rest, `"resourceLogs"`) || strings.HasPrefix(rest, `"resourceSpans"`)
}

// document judges the records or spans of an OTLP-JSON document. It returns false for a text that is none.
func (w *Worker) document(text string) bool {
	if strings.HasPrefix(strings.TrimLeft(text[1:], " \t\r\n"), `"resourceSpans"`) {
		return w.traces(text)
	}
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(text))
	if err != nil {
		return false
	}
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			s := invocation.Source{Resource: resourceLogs.Resource(), Scope: scopeLogs.Scope()}
			w.enter(s)
			for _, record := range scopeLogs.LogRecords().All() {
				s.Record = record
				w.record(s)
			}
		}
	}
	return true
}

func (w *Worker) traces(text string) bool {
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(text))
	if err != nil {
		return false
	}
	for _, resourceSpans := range traces.ResourceSpans().All() {
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			s := invocation.Source{Resource: resourceSpans.Resource(), Scope: scopeSpans.Scope()}
			w.judge.Spans.Enter(s.Resource, s.Scope, &w.inv)
			for _, span := range scopeSpans.Spans().All() {
				s.Span = span
				w.span(s)
			}
		}
	}
	return true
}
