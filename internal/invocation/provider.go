// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "slices"

// judgesProvider reports whether attribute records of this provider and model are
// judged: those of a provider in the settings, those of a model of Bedrock's, and
// those that name neither.
func (r *Reader) judgesProvider(attrs *levels, keys *keyList, model string) bool {
	if r.anyProvider {
		return true
	}
	named := false
	for _, k := range keys.keys {
		provider := attrs.text(k)
		if provider == "" {
			continue
		}
		named = true
		if r.judges(provider) {
			return true
		}
	}
	return !named && model == "" || hasBedrockForm(model)
}

// judges reports whether a provider is one of the settings.
func (r *Reader) judges(provider string) bool {
	return slices.ContainsFunc(r.Providers, func(known string) bool { return sameProvider(provider, known) })
}

// sameProvider reports whether two names mean the same provider. Clients differ in
// case and in '.', '-' and '_'.
func sameProvider(a, b string) bool {
	return foldedEqual(a, b, ".-_")
}
