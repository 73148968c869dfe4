// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"
	"time"
)

// principalOf gives the user without what a caller can rotate: an assumed role's
// ARN without its session name (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION).
func principalOf(user string) string {
	role, ok := assumedRole(user)
	if !ok {
		return user
	}
	end := strings.IndexByte(role, '/')
	if end < 0 {
		return user
	}
	return user[:len(user)-len(role)+end]
}

// assumedRole gives what stands behind "assumed-role/" in the ARN of one.
func assumedRole(user string) (role string, ok bool) {
	a, ok := splitARN(user)
	if !ok || a.service != "sts" {
		return "", false
	}
	return strings.CutPrefix(a.resource, "assumed-role/")
}

// arn is a resource name of AWS: arn:partition:service:region:account:resource.
type arn struct{ partition, service, account, resource string }

func splitARN(s string) (a arn, ok bool) {
	s, ok = strings.CutPrefix(s, "arn:")
	if !ok {
		return arn{}, false
	}
	if a.partition, s, ok = strings.Cut(s, ":"); !ok {
		return arn{}, false
	}
	if a.service, s, ok = strings.Cut(s, ":"); !ok {
		return arn{}, false
	}
	if _, s, ok = strings.Cut(s, ":"); !ok {
		return arn{}, false
	}
	a.account, a.resource, ok = strings.Cut(s, ":")
	return a, ok
}

// geographies are the prefixes of cross-region inference profiles, which stand
// before the id of the foundation model.
var geographies = []string{
	"us", "us-gov", "eu", "apac", "ap", "jp", "au", "ca", "sa", "me", "af", "mx", "il", "in", "uk", "global",
}

// foundationModel gives the id of the foundation model that a model id stands
// for, without its region prefix. Of what a customer names (endpoints, imported
// and custom models, application profiles, routers) it knows none.
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

// The years whose every instant fits into 64 bits of nanoseconds.
const firstYear, lastYear = 1678, 2261

// parseTime reads RFC 3339 with any fraction, or "2006-01-02 15:04:05" with any
// fraction, in which Panther stores it, as UTC; into Unix nanoseconds.
func parseTime(s string) (ns int64, ok bool) {
	const noZone = "2006-01-02 15:04:05"
	if len(s) < len(noZone) {
		return 0, false
	}
	layout := time.RFC3339
	if s[10] == ' ' {
		layout = noZone
	}
	t, err := time.Parse(layout, s) // a fraction behind the seconds is read with any layout
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return 0, false
	}
	return t.UnixNano(), true
}
