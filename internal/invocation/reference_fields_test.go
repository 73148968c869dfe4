// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"example.com/otelcol-guardrail/internal/invocation"
)

// stated holds the fields that a Bedrock record states itself.
type stated struct {
	timestamp, requestID, user, account, region, model, operation string
}

// fields returns an invocation with everything except for the verdict.
func (ref reference) fields(src source, own stated) invocation.Invocation {
	or := func(value string, keys ...string) string {
		if value != "" {
			return value
		}
		return src.first(keys...)
	}
	account := own.account
	if account == "" {
		account = src.get("cloud.account.id").account()
	}
	inv := invocation.Invocation{
		RequestID: or(or(or(own.requestID, "aws.request_id", "aws.request.id"), "gen_ai.response.id"), "gen_ai.request.id"),
		User:      or(own.user, ref.UserKeys...),
		Account:   account,
		Region:    or(own.region, "cloud.region"),
		Model:     or(own.model, "gen_ai.request.model", "gen_ai.request.model.id"),
		Operation: or(own.operation, "rpc.method", "event.action", "gen_ai.operation.name"),
	}
	inv.Principal = principalOf(inv.User)
	if t, ok := timeOf(own.timestamp); ok {
		inv.Time, inv.TimeSource = t, invocation.StatedTime
	} else if t := src.log.Timestamp(); t != 0 {
		inv.Time, inv.TimeSource = int64(t), invocation.StatedTime
	} else if t := src.log.ObservedTimestamp(); t != 0 {
		inv.Time, inv.TimeSource = int64(t), invocation.ObservedTime
	}
	return inv
}

var instant = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)([T ])(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|([+-])(\d\d):(\d\d))?$`)

// timeOf returns a time in Unix nanoseconds. It reads the forms that Bedrock and those
// who store its records write: RFC 3339, or a space and no zone. Other spellings count
// if the standard library accepts them. Only years that fit entirely into nanoseconds
// count.
func timeOf(s string) (int64, bool) {
	m := instant.FindStringSubmatch(s)
	if m == nil || (m[4] == " ") != (m[9] == "") {
		return nearlyTimeOf(s)
	}
	num := func(i int) int { n, _ := strconv.Atoi(m[i]); return n }
	year, month, day, hour, minute, second := num(1), num(2), num(3), num(5), num(6), num(7)
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second {
		return 0, false // no such day or time of day
	}
	if num(11) > 24 || num(12) > 60 {
		return 0, false
	}
	offset := int64(num(11))*3600 + int64(num(12))*60
	if m[10] == "-" {
		offset = -offset
	}
	ns := new(big.Int).Mul(big.NewInt(t.Unix()-offset), big.NewInt(1e9))
	fraction, _ := strconv.ParseInt((m[8] + "000000000")[:9], 10, 64)
	ns.Add(ns, big.NewInt(fraction))
	return ns.Int64(), ns.IsInt64() && 1678 <= year && year <= 2261
}

// nearlyTimeOf is timeOf for other spellings.
func nearlyTimeOf(s string) (int64, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05"} {
		t, err := time.Parse(layout, s)
		if err == nil && len(s) >= len("2006-01-02 15:04:05") && 1678 <= t.Year() && t.Year() <= 2261 {
			return t.UnixNano(), true
		}
	}
	return 0, false
}

var assumedRole = regexp.MustCompile(`(?s)^(arn:([^:]*):sts:[^:]*:([^:]*):assumed-role/([^/]*))(/.*)?$`)

// principalOf returns the user without the session, which a caller can name at will.
func principalOf(user string) string {
	if m := assumedRole.FindStringSubmatch(user); m != nil {
		return m[1]
	}
	return user
}

// roleOf returns the ARN in IAM of an assumed role, and any other user unchanged.
func roleOf(user string) string {
	if m := assumedRole.FindStringSubmatch(user); m != nil {
		return "arn:" + m[2] + ":iam::" + m[3] + ":role/" + m[4]
	}
	return user
}

// glob reports whether a pattern matches a whole value; a star stands for any run of
// characters except for '/'.
func glob(pattern, value string) bool {
	switch {
	case pattern == "":
		return value == ""
	case pattern[0] != '*':
		return value != "" && value[0] == pattern[0] && glob(pattern[1:], value[1:])
	default:
		return glob(pattern[1:], value) || value != "" && value[0] != '/' && glob(pattern, value[1:])
	}
}

// enforced reports whether the settings say that a guardrail is enforced.
func (ref reference) enforced(inv invocation.Invocation) bool {
	for _, p := range ref.AssumeGuarded {
		fits := func(pattern, value string) bool { return pattern == "" || glob(pattern, value) }
		if fits(p.User, inv.User) &&
			(fits(p.Principal, inv.Principal) || fits(p.Principal, roleOf(inv.User))) &&
			fits(p.Account, inv.Account) && fits(p.Region, inv.Region) &&
			fits(p.Model, inv.Model) && fits(p.Operation, inv.Operation) &&
			(p.Until.IsZero() || inv.TimeSource != invocation.NoTime && inv.Time < p.Until.UnixNano()) {
			return true
		}
	}
	return false
}

var (
	modelARN  = regexp.MustCompile(`(?s)^arn:[^:]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.*)$`)
	geography = regexp.MustCompile(`^(?:us|us-gov|eu|apac|ap|jp|au|ca|sa|me|af|mx|il|in|uk|global)\.`)
)

// unguardable reports whether the settings say that the model takes no guardrail.
func (ref reference) unguardable(model string) bool {
	if m := modelARN.FindStringSubmatch(model); m != nil {
		model = m[1]
	} else if strings.HasPrefix(model, "arn:") {
		return false
	}
	model = strings.TrimPrefix(model, geography.FindString(model))
	for _, pattern := range ref.UnguardableModels {
		if model != "" && glob(pattern, model) {
			return true
		}
		// A model without its vendor is compared with the globs without their vendor.
		vendor, bare, _ := strings.Cut(pattern, ".")
		if vendor != "" && strings.Trim(bare, "*") != "" && !vendored.MatchString(model) && model != "" && glob(bare, model) {
			return true
		}
	}
	return false
}

var vendored = regexp.MustCompile(`^[a-z][a-z0-9]*\.[a-z][^/ ]*$`)

// bedrocks reports whether a model id has the form of Bedrock's ids.
func bedrocks(model string) bool {
	return regexp.MustCompile(`(?s)^arn:[^:]*:(bedrock|sagemaker):[^:]*:[^:]*:`).MatchString(model) ||
		!strings.HasPrefix(model, "arn:") && vendored.MatchString(strings.TrimPrefix(model, geography.FindString(model)))
}

// approved reports whether one of the guardrails is approved.
func (ref reference) approved(named []invocation.Guardrail) bool {
	for _, entry := range ref.ApprovedGuardrails {
		id, version := guardrailOf(entry)
		for _, g := range named {
			if g.ID == id && (version == "" || g.Version == "" || g.Version == version) {
				return true
			}
		}
	}
	return false
}
