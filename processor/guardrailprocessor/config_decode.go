// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/alert"
)

// Unmarshal reads the settings, and reports every mistake in them at once: those of reading together
// with those that [Config.Validate] would find afterwards.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	found := takeBadID(conf, "storage")
	found = append(found, takeBadNumbers(conf, []string{"retention", "max_age"}, []string{"max_state_mib"})...)
	dropNulls(conf)
	found = append(found, explain(conf, conf.Unmarshal(c))...)
	if len(found) == 0 {
		return nil
	}
	return append(found, c.mistakes().outside(found)...).err()
}

// Unmarshal reads a rule over the defaults that its id and severity call for.
func (c *RuleConfig) Unmarshal(conf *confmap.Conf) error {
	found := takeBadNumbers(conf,
		[]string{"window::size", "alert::keep_alive", "alert::max_duration"},
		[]string{"threshold", "risk_score", "alert::limit"})
	dropNulls(conf)

	known := struct {
		ID       string         `mapstructure:"id"`
		Severity alert.Severity `mapstructure:"severity"`
	}{ID: alert.BuiltInID}
	// A mistake here is found again, and reported, when the whole rule is read.
	_ = conf.Unmarshal(&known, confmap.WithIgnoreUnused())

	*c = ruleDefaults(known.ID, known.Severity)
	return append(found, explain(conf, conf.Unmarshal(c))...).err()
}

// dropNulls takes explicit nulls out, so that they leave the default: the decoder would put the zero value.
func dropNulls(conf *confmap.Conf) {
	for _, key := range conf.AllKeys() {
		if conf.Get(key) == nil {
			conf.Delete(key)
		}
	}
}

// takeBadID takes what is not the id of a component out of conf, and reports it.
func takeBadID(conf *confmap.Conf, key string) (found mistakes) {
	value := conf.Get(key)
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok || new(component.ID).UnmarshalText([]byte(text)) != nil {
		conf.Delete(key)
		found.add(key, "%s is not the id of an extension; allowed: one such as file_storage or file_storage/state", quoted(value))
	}
	return found
}

// takeBadNumbers takes durations and whole numbers out of conf, and reports them, that the decoder would
// misread without a word (60 as 60 nanoseconds, 5.7 as 5) or refuse without telling the value.
func takeBadNumbers(conf *confmap.Conf, durations, integers []string) (found mistakes) {
	for _, key := range durations {
		if value := conf.Get(key); value != nil && !isDuration(value) {
			conf.Delete(key)
			found.add(key, "%s is not a duration; allowed: a number with its unit, such as 90s, 10m or 1h30m", quoted(value))
		}
	}
	for _, key := range integers {
		if value := conf.Get(key); value != nil && !isInteger(value) {
			conf.Delete(key)
			found.add(key, "%s is not a whole number; allowed: digits without quotes", quoted(value))
		}
	}
	return found
}

func isDuration(value any) bool {
	switch v := value.(type) {
	case time.Duration:
		return true
	case string:
		_, err := time.ParseDuration(v)
		return err == nil
	default:
		return value == 0 // needs no unit
	}
}

func isInteger(value any) bool {
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return true
	case v.CanUint():
		return v.Uint() <= math.MaxInt64
	case v.CanFloat():
		return v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53
	default:
		return false
	}
}

func quoted(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(value)
}
