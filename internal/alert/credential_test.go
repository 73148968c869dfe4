// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever responds to an alert must know whether there is a key to revoke, or a session that ends by itself.
func TestAlertSaysWhichCredentialWasUsed(t *testing.T) {
	for user, want := range map[string]string{
		"arn:aws:iam::111122223333:user/alice":                                   longTerm,
		"arn:aws:iam::111122223333:user/division/team/alice":                     longTerm,
		"arn:aws:iam::111122223333:root":                                         longTerm,
		"arn:aws-cn:iam::111122223333:user/alice":                                longTerm,
		"arn:aws-us-gov:iam::111122223333:user/alice":                            longTerm,
		"arn:aws-us-gov:iam::111122223333:root":                                  longTerm,
		"arn:aws:sts::111122223333:assumed-role/drafts/i-0a1b2c3d4e5f67890":      session,
		"arn:aws:sts::111122223333:assumed-role/drafts":                          session, // a principal
		"arn:aws:iam::111122223333:role/service/drafts":                          session,
		"arn:aws:sts::111122223333:federated-user/bob":                           session,
		"arn:aws-cn:sts::111122223333:assumed-role/drafts/session":               session,
		"arn:aws-us-gov:sts::111122223333:federated-user/bob":                    session,
		"arn:aws:sts::111122223333:assumed-role/drafts/arn:aws:iam::1:user/evil": session,
		"":                                      "",
		"alice":                                 "",
		"drafts-service":                        "",
		"user/alice":                            "",
		"arn:aws:iam::111122223333":             "",
		"arn:aws:iam::111122223333:user/":       "",
		"arn:aws:iam::111122223333:group/a":     "",
		"arn:aws:iam::111122223333:rootless":    "",
		"arn:aws:s3:::root":                     "",
		"arn:aws:sts::111122223333:user/alice":  "",
		"arn:other:iam::111122223333:user/a":    "",
		"arn:awsome:iam::111122223333:user/a":   "",
		"xarn:aws:iam::111122223333:user/alice": "",
		" arn:aws:iam::111122223333:root":       "",
	} {
		assert.Equal(t, want, credentialOf(user), user)
	}
}

// The credential is the caller's, whatever else the rule groups by.
func TestCredentialIsThatOfTheUserOrPrincipal(t *testing.T) {
	const user, role = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/drafts"
	for _, test := range []struct {
		groupBy, group []string
		want           string
	}{
		{[]string{"cloud.account.id", "user.id"}, []string{"111122223333", user}, longTerm},
		{[]string{"gen_ai_guardrail.principal"}, []string{role}, session},
		{[]string{"gen_ai_guardrail.principal", "user.id"}, []string{role, user}, longTerm},
		{[]string{"user.id"}, []string{"alice"}, ""},
		{[]string{"team"}, []string{user}, ""},
	} {
		r, a := bursts(), burst()
		r.GroupBy, a.Group = test.groupBy, test.group
		value, present := write(r, a).Attributes().Get("gen_ai_guardrail.credential")
		assert.Equal(t, test.want != "", present, test.groupBy)
		if present {
			assert.Equal(t, test.want, value.Str(), test.groupBy)
		}
	}
}
