// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/invocation"
)

// ownScopes is what the names of the alerts' scopes begin with, whichever component emitted them.
const ownScopes = "example.com/otelcol-guardrail/"

// readLogs determines the verdict of every record of the batch and collects the
// invocations that each rule counts.
func (e *Engine) readLogs(logs plog.Logs, now time.Time, b *batch) {
	inv := &b.invocation
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resource := resourceLogs.Resource()
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			scope := scopeLogs.Scope()
			if e.config.Annotate { // a forged one would be trusted downstream
				invocation.StripAnnotationsAround(resource, scope)
			}
			e.logs.Enter(resource, scope, inv)
			records := scopeLogs.LogRecords()
			if !strings.HasPrefix(scope.Name(), ownScopes) { // not the alerts of an earlier component
				b.records += int64(records.Len())
			}
			for i := range records.Len() {
				record := records.At(i)
				if !e.logs.Read(record, inv) {
					if e.config.Annotate {
						invocation.StripAnnotations(record)
					}
					continue
				}
				b.kinds[inv.Verdict][inv.Evidence]++
				guarded := inv.Verdict == invocation.Guarded && len(e.guarded) > 0
				source := invocation.Source{Resource: resource, Scope: scope, Record: record}
				if !e.matters(inv) && !e.config.Annotate { // as most of the guarded ones, which are the majority
					if guarded {
						e.logs.DescribePart(record, inv)
						e.collectGuarded(inv, &source, b)
					}
					continue
				}
				e.logs.Describe(record, inv)
				if guarded {
					e.collectGuarded(inv, &source, b)
				}
				e.collect(inv, &source, now, b)
				if e.config.Annotate {
					partition := partitionOf(e.partition, inv, &source)
					if partition == "" {
						b.noPartition++
					}
					inv.Annotate(record, partition)
				}
			}
		}
	}
}

// matters reports whether at least one rule counts the invocation, or what follows it.
func (e *Engine) matters(inv *invocation.Invocation) bool {
	return e.counts[inv.Verdict][inv.Evidence] || e.after && inv.Intervened
}

// collect adds a described invocation to what each rule observes of the batch.
func (e *Engine) collect(inv *invocation.Invocation, source *invocation.Source, now time.Time, b *batch) {
	counted := false
	for i, r := range e.rules {
		if r.counts[inv.Verdict][inv.Evidence] {
			counted = b.rules[i].collect(r, inv, source, now) || counted
		} else if r.after && inv.Intervened {
			b.rules[i].collectIntervention(r, inv, source, now)
		}
	}
	if counted {
		b.delays = append(b.delays, max(0, now.Sub(time.Unix(0, inv.Time)).Seconds()))
	}
}

// readTraces does for spans what readLogs does for log records, except that nothing is annotated.
func (e *Engine) readTraces(traces ptrace.Traces, now time.Time, b *batch) {
	inv := &b.invocation
	for _, resourceSpans := range traces.ResourceSpans().All() {
		resource := resourceSpans.Resource()
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			scope := scopeSpans.Scope()
			e.spans.Enter(resource, scope, inv)
			spans := scopeSpans.Spans()
			b.records += int64(spans.Len())
			for i := range spans.Len() {
				span := spans.At(i)
				if !e.spans.ReadSpan(span, inv) {
					continue
				}
				b.kinds[inv.Verdict][inv.Evidence]++
				guarded := inv.Verdict == invocation.Guarded && len(e.guarded) > 0
				if !guarded && !e.matters(inv) {
					continue
				}
				source := invocation.Source{Resource: resource, Scope: scope, Span: span}
				e.spans.DescribeSpan(span, inv)
				if guarded {
					e.collectGuarded(inv, &source, b)
				}
				e.collect(inv, &source, now, b)
			}
		}
	}
}
