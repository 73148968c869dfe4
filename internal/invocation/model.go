// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"
)

// geographies are the prefixes of cross-region inference profiles, which stand
// before the id of the foundation model.
var geographies = []string{
	"us", "us-gov", "eu", "apac", "ap", "jp", "au", "ca", "sa", "me", "af", "mx", "il", "in", "uk", "global",
}

// foundationModel returns the id of the foundation model that a model id stands for,
// without a region prefix; "" when the id does not show it, as those of endpoints,
// imported and custom models, application profiles and routers, which customers name.
func foundationModel(model string) string {
	if strings.HasPrefix(model, "arn:") {
		a, ok := splitARN(model)
		if !ok || a.service != "bedrock" {
			return ""
		}
		if model, ok = strings.CutPrefix(a.resource, "foundation-model/"); !ok {
			if model, ok = strings.CutPrefix(a.resource, "inference-profile/"); !ok {
				return ""
			}
		}
	}
	if prefix, id, ok := strings.Cut(model, "."); ok && slices.Contains(geographies, prefix) {
		return id
	}
	return model
}

// isApplicationProfile reports whether a model id is that of an application inference
// profile, which wraps a foundation model without saying which.
func isApplicationProfile(model string) bool {
	a, ok := splitARN(model)
	return ok && a.service == "bedrock" && strings.HasPrefix(a.resource, "application-inference-profile/")
}

// hasBedrockForm reports whether a model id has the form of Amazon Bedrock's ids: an
// ARN, or vendor.model, with or without a region prefix. Ids of other providers with a
// version number (gpt-4.1, llama3.1:8b) have a dot as well, but no letter after it.
func hasBedrockForm(model string) bool {
	if strings.HasPrefix(model, "arn:") {
		a, ok := splitARN(model)
		return ok && (a.service == "bedrock" || a.service == "sagemaker")
	}
	return hasVendor(foundationModel(model))
}

// hasVendor reports whether an id is vendor.model, such as ai21.jamba-1-5-mini-v1:0.
func hasVendor(id string) bool {
	vendor, name, ok := strings.Cut(id, ".")
	if !ok || vendor == "" || !isLetter(vendor[0]) || name == "" || !isLetter(name[0]) {
		return false
	}
	for i := range len(vendor) {
		if !isLetter(vendor[i]) && !isDigit(vendor[i]) {
			return false
		}
	}
	return !strings.ContainsAny(name, "/ ")
}

// isLetter reports whether c is a lower-case letter; ids of Bedrock's models have no others.
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// unguardable reports whether no guardrail can be applied to a model. Some clients cut
// the vendor off the id; the globs are then matched without their vendor.
func (r *Reader) unguardable(model string) bool {
	id := foundationModel(model)
	if id == "" {
		return false
	}
	named := hasVendor(id)
	for _, glob := range r.UnguardableModels {
		if Glob(glob, id) {
			return true
		}
		if vendor, bare, _ := strings.Cut(glob, "."); !named && vendor != "" && strings.Trim(bare, "*") != "" && Glob(bare, id) {
			return true
		}
	}
	return false
}
