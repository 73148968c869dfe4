// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"example.com/otelcol-guardrail/internal/alert"
)

// decode reads settings as the collector does: over the default configuration, and then validated.
func decode(conf *confmap.Conf) (*Config, error) {
	cfg := Default()
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func decodeYAML(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	conf, err := confmaptest.LoadConf(file)
	require.NoError(t, err)
	return decode(conf)
}

func mustDecode(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := decodeYAML(t, text)
	require.NoError(t, err)
	return cfg
}

func TestConfigStructFollowsTheCollectorsConventions(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(Default()))
	require.NoError(t, componenttest.CheckConfigStruct(&RuleConfig{}))
	require.NoError(t, componenttest.CheckConfigStruct(&Match{}))
}

// testdata/config_full.yaml is the golden file of the defaults: what it says is what a user gets.
func TestDefaultsAreAsDocumented(t *testing.T) {
	full, err := confmaptest.LoadConf(filepath.Join("testdata", "config_full.yaml"))
	require.NoError(t, err)

	cfg := &Config{} // nothing in the file may come from the defaults
	require.NoError(t, full.Unmarshal(cfg))
	assert.Equal(t, Default(), cfg)

	written := confmap.New()
	require.NoError(t, written.Marshal(Default()))
	assert.ElementsMatch(t, written.AllKeys(), full.AllKeys(), "every setting is in the file")
	rule := func(conf *confmap.Conf) []string {
		return confmap.NewFromStringMap(conf.Get("rules").([]any)[0].(map[string]any)).AllKeys()
	}
	assert.ElementsMatch(t, rule(written), rule(full), "every setting of a rule is in the file")
}

func TestNothingGivenIsTheBuiltInRule(t *testing.T) {
	for _, text := range []string{"", "{}", "rules:", "rules: [{}]", "rules: [null]", "rules: [{id: unguarded_invocations}]"} {
		assert.Equal(t, Default(), mustDecode(t, text), text)
	}
	cfg, err := decode(confmap.NewFromStringMap(nil)) // the processor's name without settings
	require.NoError(t, err)
	assert.Equal(t, Default(), cfg)
}

// What the collector prints as its configuration must be a configuration.
func TestPrintedConfigurationIsReadBack(t *testing.T) {
	given := mustDecode(t, `
assume_guarded: [{account: 111122223333, until: 2026-12-31}]
max_state_mib: 1024
rules: [{threshold: 0}, {id: other, window: {type: session, size: 61m}, alert: {max_duration: 2h, limit: 7}, exempt: [{user: "*"}]}]
`)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(given))
	again, err := decode(printed)
	require.NoError(t, err)
	assert.Equal(t, given, again)
}

func TestMistakesAreRefusedTogetherAndByName(t *testing.T) {
	const file = "config_mistakes.yaml"
	cases, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	for name := range cases.ToStringMap() {
		t.Run(name, func(t *testing.T) {
			given, err := cases.Sub(name + "::config")
			require.NoError(t, err)
			var want struct {
				Config   map[string]any `mapstructure:"config"`
				Mistakes []string       `mapstructure:"mistakes"`
			}
			sub, err := cases.Sub(name)
			require.NoError(t, err)
			require.NoError(t, sub.Unmarshal(&want))

			_, err = decode(given)
			require.Error(t, err)
			assert.ElementsMatch(t, want.Mistakes, mistakesOf(err))
		})
	}
}

// mistakesOf returns what an error says, a mistake a line: several of one part of the configuration are a list
// under its path.
func mistakesOf(err error) (lines []string) {
	report := strings.TrimPrefix(err.Error(), "decoding failed due to the following error(s):\n\n")
	report = strings.TrimPrefix(report, "'' ") // as the decoder calls the whole
	path := ""
	for line := range strings.SplitSeq(report, "\n") {
		if item, ok := strings.CutPrefix(line, "  - "); ok {
			lines = append(lines, path+item)
			continue
		}
		if strings.HasSuffix(line, ": ") || line == "" {
			path = line
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// variables serves test:<name> references as the environment provider does with the environment.
type variables map[string]string

func (v variables) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	return confmap.NewRetrievedFromYAML([]byte(v[strings.TrimPrefix(uri, "test:")]))
}
func (variables) Scheme() string                 { return "test" }
func (variables) Shutdown(context.Context) error { return nil }

func TestReferencesAreReadAsTheTextTheyStandFor(t *testing.T) {
	values := variables{
		"empty":   "",
		"hours":   "2h",
		"id":      "007",
		"account": "012345678901",
		"until":   "2026-12-31T00:00:00Z",
		"number":  "7",
		"version": "1.10",
		"rule":    "{id: other}",
		"config": `
retention: ${test:hours}
max_age: ${test:empty}
approved_guardrails: ["${test:id}"]
assume_guarded:
  - {account: "${test:account}", until: "${test:until}"}
  - {account: 111122223333, until: 2026-12-31}
rules: [{threshold: "${test:number}", version: "${test:version}", name: "${test:empty}"}, "${test:rule}"]
`,
	}
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: []string{"test:config"},
		ProviderFactories: []confmap.ProviderFactory{
			confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return values }),
		},
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	cfg, err := decode(conf)
	require.NoError(t, err)

	assert.Equal(t, 2*time.Hour, cfg.Retention)
	assert.Zero(t, cfg.MaxAge)
	assert.Equal(t, []string{"007"}, cfg.ApprovedGuardrails)
	assert.Equal(t, []Match{
		{Account: "012345678901", Until: "2026-12-31T00:00:00Z"},
		{Account: "111122223333", Until: "2026-12-31"},
	}, cfg.AssumeGuarded)
	assert.Equal(t, 7, cfg.Rules[0].Threshold)
	assert.Equal(t, "1.10", cfg.Rules[0].Version)
	assert.Equal(t, alert.BuiltIn().Name, cfg.Rules[0].Name)
	assert.Equal(t, "other", cfg.Rules[1].ID)
}

func TestEmptyListsStayEmpty(t *testing.T) {
	cfg := mustDecode(t, `{guardrail_keys: [], user_keys: [], unguardable_models: [], partition_by: [], rules: []}`)
	want := Default()
	want.GuardrailKeys, want.UserKeys, want.UnguardableModels = []string{}, []string{}, []string{}
	want.PartitionBy, want.Rules = []string{}, []RuleConfig{}
	assert.Equal(t, want, cfg)
}

func TestExplicitNullIsTheDefault(t *testing.T) {
	assert.Equal(t, Default(), mustDecode(t, `
{guardrail_keys: , providers: , last_guarded: , retention: , max_age: , pass_through: , annotate: , partition_by: , assume_guarded: , rules: , max_state_mib: }`))
	assert.Equal(t, Default(), mustDecode(t, `
rules: [{id: , count: , exempt: , group_by: , threshold: , window: , alert: {keep_alive: , max_duration: , limit: }, dry_run: ,
  name: , uuid: , description: , version: , severity: , risk_score: , references: , tags: }]`))
}

func TestGuardrailsAreApprovedByIDOrARN(t *testing.T) {
	_, err := decodeYAML(t, `
approved_guardrails:
  - gr1
  - gr1:2
  - gr1:DRAFT
  - arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1
  - arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:guardrail/gr1:12
`)
	require.NoError(t, err)

	for _, entry := range []string{"gr1:", "gr1:0", "gr1:latest", "arn:aws:bedrock:us-east-1:1:guardrail/gr1", "a/b"} {
		_, err := decodeYAML(t, "approved_guardrails: ['"+entry+"']")
		assert.ErrorContains(t, err, "approved_guardrails::0: \""+entry+"\" is not a guardrail")
	}
}
