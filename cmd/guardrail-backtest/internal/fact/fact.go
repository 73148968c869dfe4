// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package fact holds what is kept of an invocation until its time has come: much less than its record, so that a
// month of them can be sorted.
package fact

import (
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/wire"
)

// Fact is an invocation as the rules see it.
type Fact struct {
	invocation.Kind
	Flags

	Rules []Rule // what each rule makes of it

	// Set if it matters to a rule.
	ID, RequestID, Principal, Region, Model, Operation, GuardrailID string

	// Set with Shipped.
	User, Account string
}

// Flags describe a fact.
type Flags uint8

// The flags.
const (
	IDOnly     Flags = 1 << iota // a repeat is recognised by its ID alone
	Intervened                   // a guardrail blocked or masked something
	Matters                      // to a rule, which counts it or what follows it
	Shipped                      // the SIEM rule as shipped counts it
)

// Has reports whether all the flags are set.
func (f Flags) Has(flags Flags) bool { return f&flags == flags }

// Rule is what a rule makes of an invocation.
type Rule struct {
	Key        string // of its group; empty: it belongs to none
	Counted    bool
	Intervened bool // the rule counts what follows it
}

// Matters reports whether it matters to the rule.
func (r *Rule) Matters() bool { return r.Counted || r.Intervened }

// How the key of a rule's group is written.
const (
	noKey = iota
	newKey
	sameKey // as that of the rule before
)

// Append appends the fact to dst. Facts that are equal have the same form, and those of one group are neighbors when
// their forms are sorted.
func (f *Fact) Append(dst []byte) []byte {
	last := ""
	for _, r := range f.Rules {
		form := byte(newKey)
		switch r.Key {
		case "":
			form = noKey
		case last:
			form = sameKey
		}
		form <<= 2
		if r.Counted {
			form |= 1
		}
		if r.Intervened {
			form |= 2
		}
		if dst = append(dst, form); form>>2 == newKey {
			dst = wire.AppendString(dst, r.Key)
		}
		last = r.Key
	}
	dst = append(dst, byte(f.Flags), byte(f.Verdict), byte(f.Evidence))
	if f.Has(Matters) {
		for _, text := range [...]string{f.ID, f.RequestID, f.Principal, f.Region, f.Model, f.Operation, f.GuardrailID} {
			dst = wire.AppendString(dst, text)
		}
	}
	if f.Has(Shipped) {
		dst = wire.AppendString(dst, f.User)
		dst = wire.AppendString(dst, f.Account)
	}
	return dst
}

// Decode sets f to the fact that was appended as data, with its number of rules.
func (f *Fact) Decode(data []byte, rules int) {
	r := wire.NewReader(data)
	*f = Fact{Rules: f.Rules[:0]}
	last := ""
	for range rules {
		form := r.Byte()
		switch form >> 2 {
		case noKey:
			last = ""
		case newKey:
			last = r.String()
		}
		f.Rules = append(f.Rules, Rule{Key: last, Counted: form&1 != 0, Intervened: form&2 != 0})
	}
	f.Flags = Flags(r.Byte())
	f.Verdict, f.Evidence = invocation.Verdict(r.Byte()), invocation.Evidence(r.Byte())
	if f.Has(Matters) {
		for _, text := range [...]*string{&f.ID, &f.RequestID, &f.Principal, &f.Region, &f.Model, &f.Operation, &f.GuardrailID} {
			*text = r.String()
		}
	}
	if f.Has(Shipped) {
		f.User, f.Account = r.String(), r.String()
	}
}
