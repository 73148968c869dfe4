// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"slices"
	"strings"
)

// The kinds of credentials of AWS that a caller can have.
const (
	longTerm = "long_term" // of an IAM user or the root user: valid until somebody revokes it
	session  = "session"   // of a role or a federated user: it expires
)

// credential returns the kind of credential with which a group's calls were made, as far as its user, or
// else its principal, says. It is empty where the rule groups by neither, or the value is the ARN of
// neither user nor role.
func (r *Rule) credential(group []string) string {
	for _, key := range [...]string{"user.id", "gen_ai_guardrail.principal"} {
		if i := slices.Index(r.GroupBy, key); i >= 0 {
			return credentialOf(group[i])
		}
	}
	return ""
}

// credentialOf returns the kind of credential that the holder of an ARN uses. A role is a principal's:
// whoever acts as one has assumed it.
func credentialOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6) // arn:partition:service:region:account:resource
	if len(parts) < 6 || parts[0] != "arn" || parts[1] != "aws" && !strings.HasPrefix(parts[1], "aws-") {
		return ""
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch service := parts[2]; {
	case service == "iam" && parts[5] == "root":
		return longTerm
	case name == "":
		return ""
	case service == "iam" && kind == "user":
		return longTerm
	case service == "iam" && kind == "role", service == "sts" && (kind == "assumed-role" || kind == "federated-user"):
		return session
	default:
		return ""
	}
}
