// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"strings"

	"example.com/otelcol-guardrail/internal/invocation"
)

// A service is the part of the API that writes the answer.
type service int

const (
	anyService service = iota
	invokeModel
	converse
)

func serviceOf(operation string) service {
	switch operation {
	case "InvokeModel", "InvokeModelWithResponseStream":
		return invokeModel
	case "Converse", "ConverseStream":
		return converse
	default:
		return anyService
	}
}

// evidence is what a Bedrock record shows about guardrails.
type evidence struct {
	ran          bool
	intervened   bool
	unrecognised bool
	guardrails   []invocation.Guardrail
	guarded      float64 // characters, over all assessments
	total        float64
}

// kind returns the kind of positive evidence.
func (e *evidence) kind() invocation.Evidence {
	switch {
	case len(e.guardrails) == 0:
		return invocation.Unnamed
	case e.total > 0 && e.guarded == 0:
		return invocation.Uncovered
	default:
		return invocation.Applied
	}
}

// answer adds the evidence at the top level of an answer, or of each chunk of it.
func (e *evidence) answer(n *node, s service) {
	switch {
	case n == nil:
	case n.kind == object:
		e.chunk(n, s)
	case n.kind == list:
		for _, item := range n.items {
			if item.kind == object {
				e.chunk(item, s)
			}
		}
	}
}

func (e *evidence) chunk(n *node, s service) {
	invoke, conv := s != converse, s != invokeModel
	for _, f := range n.winners() {
		switch {
		case invoke && f.key == "amazon-bedrock-guardrailAction":
			switch f.value.str() {
			case "INTERVENED":
				e.ran, e.intervened = true, true
			case "NONE":
				e.ran = true
			case "":
			default:
				e.unrecognised = true
			}
		case invoke && f.key == "amazon-bedrock-trace":
			e.guardrail(f.value.get("guardrail"), "input", "outputs")
		case conv && f.key == "trace":
			e.guardrail(f.value.get("guardrail"), "inputAssessment", "outputAssessments")
		case invoke && f.key == "stop_reason", conv && f.key == "stopReason":
			if f.value.str() == "guardrail_intervened" {
				e.ran, e.intervened = true, true
			}
		}
	}
}

// guardrail adds the evidence in a trace.
func (e *evidence) guardrail(n *node, before, after string) {
	if n == nil || n.kind != object {
		return
	}
	for _, f := range n.winners() {
		switch f.key {
		case before, after:
			e.assessments(f.value)
		case "modelOutput":
			e.ran = e.ran || f.value.kind == list && len(f.value.items) > 0
		case "actionReason":
			e.ran = e.ran || f.value.str() != ""
		}
	}
}

// assessments adds the evidence in {id: assessment}, or in a list of such objects.
func (e *evidence) assessments(n *node) {
	switch n.kind {
	case list:
		for _, item := range n.items {
			if item.kind == object {
				e.assessments(item)
			}
		}
	case object:
		for _, entry := range n.containers() {
			id, parts := entry.key, []*node{entry.value}
			if bare, _ := guardrailOf(id); bare == "" {
				continue
			}
			if entry.value.kind == list {
				parts = entry.value.items
			}
			for _, part := range parts {
				coverage := part.get("invocationMetrics", "guardrailCoverage", "textCharacters")
				guarded, ok1 := coverage.get("guarded").count()
				total, ok2 := coverage.get("total").count()
				if ok1 && ok2 {
					e.guarded += guarded
					e.total += total
				}
				e.named(id, part.get("appliedGuardrailDetails", "guardrailVersion").str())
			}
			if len(parts) == 0 {
				e.named(id, "")
			}
		}
	default:
	}
}

// named adds a guardrail that ran, if there is a name. Another version of a known one is
// another guardrail.
func (e *evidence) named(name, version string) {
	id, own := guardrailOf(name)
	if id == "" {
		return
	}
	if version == "" {
		version = own
	}
	e.ran = true
	for i := range e.guardrails {
		if g := &e.guardrails[i]; g.ID == id && (g.Version == version || g.Version == "" || version == "") {
			g.Version = max(g.Version, version)
			return
		}
	}
	e.guardrails = append(e.guardrails, invocation.Guardrail{ID: id, Version: version})
}

// guardrailOf returns the id in a name or an ARN, and the version after it.
func guardrailOf(name string) (id, version string) {
	if strings.HasPrefix(name, "arn:") {
		if !strings.Contains(name, "/") {
			return name, ""
		}
		name = name[strings.LastIndex(name, "/")+1:]
	}
	id, version, _ = strings.Cut(name, ":")
	return id, version
}
