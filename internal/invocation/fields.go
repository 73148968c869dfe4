// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// PrincipalOf returns the user without the part that a caller can rotate: the ARN of
// an assumed role (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION) without its session
// name, and any other user unchanged.
func PrincipalOf(user string) string {
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

// assumedRole returns the part after "assumed-role/" in the ARN of an assumed role; ok
// is false for any other user.
func assumedRole(user string) (role string, ok bool) {
	a, ok := splitARN(user)
	if !ok || a.service != "sts" {
		return "", false
	}
	return strings.CutPrefix(a.resource, "assumed-role/")
}

// arn is an AWS resource name, without its region:
// arn:partition:service:region:account:resource.
type arn struct{ partition, service, account, resource string }

// splitARN returns the parts of an ARN; ok is false for any other text.
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

// The first and last years that fit entirely into 64 bits of nanoseconds.
const firstYear, lastYear = 1678, 2261

// parseTime returns a time in Unix nanoseconds. It reads RFC 3339, and the form
// "2006-01-02 15:04:05" in UTC, which Panther stores, both with any fraction of a
// second. ok is false for any other text.
func parseTime(s string) (ns int64, ok bool) {
	const noZone = "2006-01-02 15:04:05"
	if len(s) < len(noZone) {
		return 0, false
	}
	layout := time.RFC3339
	if s[10] == ' ' {
		layout = noZone
	}
	t, err := time.Parse(layout, s) // time.Parse accepts a fraction after the seconds with any layout
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return 0, false
	}
	return t.UnixNano(), true
}

// accountDigits is the length of an account id.
const accountDigits = 12

// accountOf returns the account id of a value; "" when there is none. Some pipelines
// turn the id from text into a number, and perhaps back, which loses its leading
// zeros.
func accountOf(value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeInt:
		return accountNumber(float64(value.Int()))
	case pcommon.ValueTypeDouble:
		return accountNumber(value.Double())
	default:
		return accountText(stringOf(value))
	}
}

// accountText returns the account id of a text: the text itself, unless it is a number
// that is too short or has an exponent.
func accountText(text string) string {
	if len(text) == accountDigits || text == "" || strings.Trim(text, "0123456789.eE+") != "" {
		return text
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n < 1e12 {
		if id := accountNumber(n); id != "" {
			return id
		}
	}
	return text
}

// accountNumber returns the account id of a number; "" for a number with a sign or a
// fraction, which is no account id.
func accountNumber(n float64) string {
	const exact = 1 << 53 // from here on, doubles skip integers
	if !(n >= 0 && n < exact) || n != float64(int64(n)) {
		return ""
	}
	digits := strconv.FormatInt(int64(n), 10)
	return strings.Repeat("0", max(0, accountDigits-len(digits))) + digits
}
