// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// Match selects invocations. Its fields are globs in which `*` matches any run of characters except "/". All
// fields that are given must match whole values, and at least one must be given.
type Match struct {
	// User is compared with the user: the ARN of an identity, or the value of an attribute.
	User string `mapstructure:"user"`

	// Principal is compared with the user without what a caller can rotate, such as a session name.
	Principal string `mapstructure:"principal"`

	// Account is compared with the id of the cloud account.
	Account string `mapstructure:"account"`

	// Region is compared with the cloud region.
	Region string `mapstructure:"region"`

	// Model is compared with the model as the request names it.
	Model string `mapstructure:"model"`

	// Operation is compared with the name of the operation, such as Converse.
	Operation string `mapstructure:"operation"`

	// Until is when the entry ends, compared with the time of the invocation: a date, through the end of that
	// day in UTC, or an RFC 3339 time. An end in the past is valid, so that a collector can restart with the
	// configuration it ran with; the entry then selects only earlier invocations. Empty: no end.
	//
	// YAML reads an unquoted midnight, 2026-12-31T00:00:00Z, as the date alone; with quotes it remains a time.
	Until string `mapstructure:"until"`

	// Reason is for the people who read the configuration.
	Reason string `mapstructure:"reason"`

	_ struct{}
}

var (
	_ confmap.Unmarshaler = (*Match)(nil)
	_ confmap.Validator   = Match{}
)

// Expiry returns the first moment at which m no longer applies; ok is false if it has no end.
func (m Match) Expiry() (end time.Time, ok bool) {
	end, err := parseUntil(m.Until)
	return end, m.Until != "" && err == nil
}

func parseUntil(until string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, until); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, until)
}

// matchText is a [Match] as it is written in YAML.
type matchText struct {
	User      yamlText `mapstructure:"user"`
	Principal yamlText `mapstructure:"principal"`
	Account   yamlText `mapstructure:"account"`
	Region    yamlText `mapstructure:"region"`
	Model     yamlText `mapstructure:"model"`
	Operation yamlText `mapstructure:"operation"`
	Until     yamlText `mapstructure:"until"`
	Reason    yamlText `mapstructure:"reason"`
}

// Unmarshal reads m. It accepts a date and an account id without quotes as text.
func (m *Match) Unmarshal(conf *confmap.Conf) error {
	var text matchText
	found := misshapen(conf, &text).and(readForm(conf, &text))
	*m = Match{
		User:      string(text.User),
		Principal: string(text.Principal),
		Account:   string(text.Account),
		Region:    string(text.Region),
		Model:     string(text.Model),
		Operation: string(text.Operation),
		Until:     string(text.Until),
		Reason:    string(text.Reason),
	}
	return found.err()
}

// Validate returns all that is wrong with m.
func (m Match) Validate() error {
	var found mistakes
	given := false
	for _, field := range []struct{ name, glob string }{
		{"user", m.User},
		{"principal", m.Principal},
		{"account", m.Account},
		{"region", m.Region},
		{"model", m.Model},
		{"operation", m.Operation},
	} {
		if field.glob == "" {
			continue
		}
		given = true
		if strings.TrimSpace(field.glob) != field.glob {
			found.add(field.name, "%q begins or ends with white space; remove it", field.glob)
		} else if complaint := checkGlob(field.glob); complaint != "" {
			found.add(field.name, "%q %s", field.glob, complaint)
		}
	}
	if !given {
		found.add("", "selects everything; allowed: at least one of user, principal, account, region, model, operation")
	}
	if m.Until != "" {
		if _, err := parseUntil(m.Until); err != nil {
			found.add("until", "%q is not a date; allowed: a date such as 2026-12-31 (through the end of that day in UTC) "+
				"or a time such as 2026-12-31T18:00:00Z", m.Until)
		}
	}
	return found.err()
}

// yamlText is text that YAML may have read as another type because it has no quotes.
type yamlText string

var _ confmap.ScalarUnmarshaler = (*yamlText)(nil)

// accountIDLen is the number of digits in an AWS account id.
const accountIDLen = 12

// UnmarshalScalar sets t to the text that was written. It returns an error if YAML's reading has lost that text.
func (t *yamlText) UnmarshalScalar(value confmap.ScalarValue) error {
	switch raw := value.GetRaw().(type) {
	case nil:
		return nil
	case string:
		*t = yamlText(raw)
		return nil
	case time.Time:
		if raw.Equal(raw.Truncate(24 * time.Hour)) {
			*t = yamlText(raw.UTC().Format(time.DateOnly))
		} else {
			*t = yamlText(raw.Format(time.RFC3339Nano))
		}
		return nil
	case int:
		// An account id that begins with 0 is read as octal or as a fraction, and its digits are lost. Only
		// a number of full length is the text that was written.
		if digits := strconv.Itoa(raw); len(digits) == accountIDLen {
			*t = yamlText(digits)
			return nil
		}
	}
	return errors.New(notText(value.GetRaw()))
}
