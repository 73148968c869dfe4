// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "slices"

// judgesProvider reports whether attribute records of this provider and model are
// judged: those of a provider in the settings, those of a model of Bedrock's, and
// those that name neither.
func (r *Reader) judgesProvider(attrs *levels, model string) bool {
	if r.anyProvider {
		return true
	}
	named := false
	for _, k := range providerKeys.keys {
		provider := attrs.text(k)
		if provider == "" {
			continue
		}
		named = true
		if slices.ContainsFunc(r.Providers, func(known string) bool { return sameProvider(provider, known) }) {
			return true
		}
	}
	return !named && model == "" || hasBedrockForm(model)
}

// sameProvider reports whether two names mean the same provider. Clients differ in
// case and in '.', '-' and '_'.
func sameProvider(a, b string) bool {
	return foldedEqual(a, b, ".-_")
}

// silent reports whether the records of a scope are known to look the same whether
// or not a guardrail ran. The answer is kept in scope.
func (r *Reader) silent(scope *scopeState) bool {
	if !scope.checked {
		scope.checked = true
		scope.silent = scope.name != "" && slices.ContainsFunc(r.SilentScopes, func(glob string) bool { return Glob(glob, scope.name) })
	}
	return scope.silent
}
