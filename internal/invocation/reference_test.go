// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

// A reference reads records as the contract describes it: it decodes a whole record into
// a tree and then answers one question after the other. It shares no code with the
// reader and takes no shortcuts, so that one reading of it is enough to trust it.
type reference struct{ invocation.Options }

// A source holds the attributes in which the fields of a record are looked up: the
// record's own, then those of its scope, then those of its resource.
type source struct {
	record, scope, resource *node

	name string // of the scope
	log  plog.LogRecord
}

// first returns the first text under any of the keys, the nearest level first.
func (s source) first(keys ...string) string {
	for _, level := range []*node{s.record, s.scope, s.resource} {
		for _, key := range keys {
			if found := level.get(key).str(); found != "" {
				return found
			}
		}
	}
	return ""
}

// get returns the first value under the key that is not empty, the nearest level first.
func (s source) get(key string) *node {
	for _, level := range []*node{s.record, s.scope, s.resource} {
		if found := level.get(key); !found.empty() {
			return found
		}
	}
	return nil
}

func (ref reference) read(resource pcommon.Resource, scope pcommon.InstrumentationScope, log plog.LogRecord) (invocation.Invocation, bool) {
	src := source{
		record:   treeOfMap(log.Attributes()),
		scope:    treeOfMap(scope.Attributes()),
		name:     scope.Name(),
		resource: treeOfMap(resource.Attributes()),
		log:      log,
	}
	name := log.EventName()
	if name == "" {
		name = src.record.get("event.name").str()
	}
	if name == "gen_ai_guardrail.alert" {
		return invocation.Invocation{}, false
	}
	depth := wrappers
	if strings.HasPrefix(name, "gen_ai.") || src.record.get("gen_ai.operation.name") != nil {
		depth = 0 // the texts may be the caller's
	}
	at := locate(log.Body(), depth)
	if at == nil && plainlyBedrock(src.record) {
		at = &location{record: src.record, whole: true, parsed: true}
	}
	if at == nil && depth > 0 {
		at = locateInMap(log.Attributes(), depth)
	}
	if at != nil {
		return ref.bedrock(at, src), true
	}
	return ref.attributes(name, src)
}

func plainlyBedrock(record *node) bool {
	if schema := record.get("schemaType"); schema != nil {
		return schema.str() == "ModelInvocationLog"
	}
	return record.get("modelId").str() != "" && record.get("operation").str() != "" &&
		(record.get("requestId").str() != "" || record.get("accountId").account() != "")
}

// A part is the content of one place in a record.
type part struct {
	*node
	broken  bool // the JSON cannot be read to its end
	written bool // by the service, as JSON; else a pipeline may have changed it
}

// partOf returns a member of identity, input or output. In a parsed record (a map, or
// attributes), the object may have become a text or dotted keys; the last one counts.
func partOf(record *node, parsed bool, name, child string) (found part) {
	if !parsed { // a repeated part replaces the first one as a whole
		return part{node: record.last(name, true).get(child), written: true}
	}
	for _, f := range record.winners() {
		switch f.key {
		case name:
			found = part{node: f.value.get(child)}
			if f.value.kind == text && strings.HasPrefix(skipBlank(f.value.text), "{") {
				decoded, err := parseTree(f.value.text)
				if found = (part{broken: true}); err == nil {
					found = part{node: decoded.get(child), written: true}
				}
			}
		case name + "." + child:
			found = part{node: f.value}
		}
	}
	return found
}

// bedrock judges a Bedrock record.
func (ref reference) bedrock(at *location, src source) invocation.Invocation {
	if at.several {
		inv := ref.fields(src, stated{})
		inv.Kind = invocation.Kind{Verdict: invocation.Unknown, Evidence: invocation.Several}
		return inv
	}
	record, whole, parsed := at.record, at.whole, at.parsed
	arn := partOf(record, parsed, "identity", "arn")
	answer := partOf(record, parsed, "output", "outputBodyJson").body()
	request := partOf(record, parsed, "input", "inputBodyJson").body()
	path := partOf(record, parsed, "output", "outputBodyS3Path")
	inv := ref.fields(src, stated{
		timestamp: record.get("timestamp").str(),
		requestID: record.get("requestId").str(),
		user:      arn.str(),
		account:   record.get("accountId").account(),
		region:    record.get("region").str(),
		model:     record.get("modelId").str(),
		operation: record.get("operation").str(),
	})

	if !whole || answer.broken {
		inv.Kind = invocation.Kind{Verdict: invocation.Unknown, Evidence: invocation.Unreadable}
		return inv
	}

	service := serviceOf(inv.Operation)
	var found evidence
	found.answer(answer.node, service)
	if service == converse && !request.broken && (!noAnswer(answer.node) || path.str() != "") {
		config := request.get("guardrailConfig")
		found.named(config.get("guardrailIdentifier").str(), config.get("guardrailVersion").str())
	}
	errored := record.get("errorCode").str() != ""
	strength := invocation.Presumed
	if service == invokeModel && (!errored || !answer.node.is(list)) {
		strength = invocation.Absent
	}

	inv.Guardrails = found.guardrails
	inv.Intervened = found.intervened
	inv.Kind = ref.judge(inv, judged{
		ran:          found.ran,
		positive:     found.kind(),
		noModel:      wrapsModel.MatchString(inv.Model) && makesNoText(answer.node),
		failed:       noAnswer(answer.node) && path.str() == "" && errored,
		flattened:    parsed && noAnswer(answer.node) && flattened(record),
		noBody:       noAnswer(answer.node),
		unrecognised: found.unrecognised,
		unguarded:    strength,
	})
	return inv
}

// body returns the content of a body: the value itself, or the JSON in a text. A text
// that only begins like JSON is plain text if the service wrote it, and broken if not,
// since a pipeline may have cut it off.
func (p part) body() part {
	if p.node == nil || p.kind != text {
		return p
	}
	if p.bad {
		return part{}
	}
	inner := skipBlank(p.text)
	if strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[") {
		decoded, err := parseTree(p.text)
		switch {
		case err == nil:
			return part{node: decoded}
		case !p.written:
			return part{broken: true}
		}
	}
	return part{node: &node{kind: text, text: inner}}
}

// noAnswer reports whether a body holds no answer.
func noAnswer(n *node) bool { return n.empty() && (n == nil || n.kind != octets) }

// wrapsModel matches an application inference profile, which does not say which
// foundation model it wraps.
var wrapsModel = regexp.MustCompile(`(?s)^arn:[^:]*:bedrock:[^:]*:[^:]*:application-inference-profile/`)

// makesNoText reports whether an answer, or a chunk of one, is an embedding or a ranking.
func makesNoText(n *node) bool {
	if n.is(list) {
		return slices.ContainsFunc(n.items, func(item *node) bool { return item.is(object) && makesNoText(item) })
	}
	for _, key := range []string{"embedding", "embeddings", "embeddingsByType"} {
		if v := n.get(key); v.is(object) || v.is(list) {
			return true
		}
	}
	results := n.get("results")
	if !results.is(list) || len(results.items) == 0 {
		return false
	}
	first := results.items[0]
	return first.is(object) && (hasKey(first.fields, "relevance_score") || hasKey(first.fields, "relevanceScore"))
}

// flattened reports whether the answer is spread over several keys.
func flattened(record *node) bool {
	return slices.ContainsFunc(record.fields, func(f field) bool {
		return f.key != "output.outputBodyJson" && strings.Contains(f.key, "outputBodyJson")
	})
}

// judged holds what was found in a record.
type judged struct {
	ran          bool                // there is positive evidence
	positive     invocation.Evidence // the kind of that evidence
	noModel      bool                // the model takes no guardrail
	foreign      bool                // it is an attribute record of another provider
	failed       bool
	flattened    bool
	noBody       bool
	unrecognised bool
	silent       bool // the telemetry never says whether a guardrail ran
	unguarded    invocation.Evidence
}

// judge returns the verdict: the first line of the table that applies decides.
func (ref reference) judge(inv invocation.Invocation, j judged) invocation.Kind {
	kind := func(v invocation.Verdict, e invocation.Evidence) invocation.Kind {
		return invocation.Kind{Verdict: v, Evidence: e}
	}
	switch {
	case j.ran && len(ref.ApprovedGuardrails) > 0 && len(inv.Guardrails) > 0 && !ref.approved(inv.Guardrails):
		return kind(invocation.Unapproved, j.positive)
	case j.ran:
		return kind(invocation.Guarded, j.positive)
	case j.noModel || ref.unguardable(inv.Model):
		return kind(invocation.NotApplicable, invocation.Model)
	case j.foreign:
		return kind(invocation.NotApplicable, invocation.Provider)
	case j.failed:
		return kind(invocation.Failed, invocation.Error)
	case ref.enforced(inv):
		return kind(invocation.Guarded, invocation.Enforced)
	case j.flattened:
		return kind(invocation.Unknown, invocation.Unreadable)
	case j.silent:
		return kind(invocation.Unknown, invocation.Untold)
	case j.noBody:
		return kind(invocation.Unknown, invocation.NoBody)
	case j.unrecognised:
		return kind(invocation.Unknown, invocation.Unrecognised)
	default:
		return kind(invocation.Unguarded, j.unguarded)
	}
}
