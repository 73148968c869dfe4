// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/alert"
)

// rules reads the list of rules that text holds.
func rules(t *testing.T, text string) []RuleConfig {
	t.Helper()
	return mustDecode(t, "rules: "+text).Rules
}

func TestRuleWithoutIDIsTheBuiltInRuleWithChangedValues(t *testing.T) {
	want := builtInRule()
	want.Threshold = 9
	want.Window.Size = 2 * time.Minute
	want.Name = "Ours"
	assert.Equal(t, []RuleConfig{want}, rules(t, `[{threshold: 9, window: {size: 2m}, name: Ours}]`))
	assert.Equal(t, []RuleConfig{want}, rules(t, `[{id: unguarded_invocations, threshold: 9, window: {size: 2m}, name: Ours}]`))
}

func TestAnotherRuleInheritsValuesButNotTheIdentity(t *testing.T) {
	want := builtInRule()
	want.ID, want.Name, want.UUID = "unguarded_sustained", "unguarded_sustained", alert.DerivedUUID("unguarded_sustained")
	want.Description, want.Version = "", "1"
	want.References, want.Tags = []string{}, []string{}
	assert.Equal(t, []RuleConfig{want}, rules(t, `[{id: unguarded_sustained}]`), "the built-in rule is replaced, not joined")

	want.GroupBy = []string{"user.id"}
	want.Window.Size, want.Alert.KeepAlive, want.Alert.MaxDuration = 61*time.Minute, 61*time.Minute, 24*time.Hour
	want.Severity, want.RiskScore = alert.SeverityLow, 21
	want.Name, want.Tags = "Sustained", []string{"a"}
	assert.Equal(t, []RuleConfig{builtInRule(), want}, rules(t, `
  - {}
  - id: unguarded_sustained
    name: Sustained
    group_by: [user.id]
    window: {size: 61m}
    alert: {keep_alive: 61m, max_duration: 24h}
    severity: low
    tags: [a]
`))
}

func TestGivenValuesOfARuleStayAsGiven(t *testing.T) {
	got := rules(t, `[{exempt: [], threshold: 0, alert: {keep_alive: 0}, references: [], tags: [], description: "", risk_score: 0}]`)
	want := builtInRule()
	want.Threshold, want.RiskScore, want.Alert.KeepAlive = 0, 0, 0
	want.Exempt, want.References, want.Tags = []Match{}, []string{}, []string{}
	want.Description = ""
	assert.Equal(t, []RuleConfig{want}, got)
}

func TestRiskScoreFollowsTheSeverityUnlessGiven(t *testing.T) {
	for text, want := range map[string]int64{
		`[{}]`:                                47,
		`[{severity: critical}]`:              99,
		`[{severity: high, risk_score: }]`:    73,
		`[{severity: low, risk_score: 50}]`:   50,
		`[{severity: medium}]`:                47,
		`[{id: a}]`:                           47,
		`[{id: a, severity: high}]`:           73,
		`[{id: a, severity: }]`:               47,
		`[{id: a, risk_score: 1}]`:            1,
		`[{id: a, severity: low, tags: [x]}]`: 21,
	} {
		assert.Equal(t, want, rules(t, text)[0].RiskScore, text)
	}
}

func TestRulesDoNotShareTheirLists(t *testing.T) {
	list := rules(t, `[{id: a}, {id: b}, {}]`)
	list[0].Count[0], list[0].GroupBy[0] = "changed", "changed"
	assert.Equal(t, builtInRule().Count, list[1].Count)
	assert.Equal(t, builtInRule().GroupBy, list[2].GroupBy)
	assert.Equal(t, builtInRule(), Default().Rules[0])
}

func TestIdentityIsACopyOfTheRules(t *testing.T) {
	rule := builtInRule()
	identity := rule.Identity()
	assert.Equal(t, alert.BuiltIn(), identity)

	identity.Tags[0], identity.References[0] = "changed", "changed"
	assert.Equal(t, alert.BuiltIn(), rule.Identity())
}

func TestEveryVerdictAndEvidenceCanBeCounted(t *testing.T) {
	cfg, err := decodeYAML(t, `
approved_guardrails: [gr1]
rules:
  - {id: a, count: [unapproved]}
  - {id: b, count: [unguarded/absent, unguarded/presumed, guarded/uncovered, unknown/no_body, failed, failed/error, not_applicable/model]}
`)
	require.NoError(t, err)
	assert.Len(t, cfg.Rules, 2)

	_, err = decodeYAML(t, `{trust_annotations: true, rules: [{count: [unapproved]}]}`)
	assert.NoError(t, err, "the edges know the approved guardrails")
}

func TestAnyAttributeOfAnInvocationCanBeGroupedBy(t *testing.T) {
	keys := rules(t, `[{group_by: [gen_ai_guardrail.principal, cloud.region, gen_ai.request.model, team.name, session.id]}]`)[0].GroupBy
	assert.Len(t, keys, 5)
}

// A detector of several must see each group whole; the only detector may group as it likes.
func TestDetectorsMayGroupMoreFinelyThanTheirPartition(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{rules: [{group_by: [user.id]}, {id: roles, group_by: [cloud.region, gen_ai_guardrail.principal]}]}`,
		`{partition_by: [cloud.account.id], rules: [{}, {id: accounts, group_by: [cloud.account.id]}]}`,
		`{partition_by: [], rules: [{group_by: [gen_ai.request.model]}]}`,
	} {
		cfg := mustDecode(t, text)
		cfg.TrustAnnotations = true
		require.NoError(t, cfg.Validate(), text)
	}
	_, err := decodeYAML(t, `{rules: [{group_by: [gen_ai.request.model]}]}`)
	require.NoError(t, err, "an instance on its own has no partitions")
}

func TestMatchEndsWhenItsUntilSays(t *testing.T) {
	cfg := mustDecode(t, `
assume_guarded:
  - {account: "1", until: 2026-12-31}
  - {account: "2", until: "2026-12-31"}
  - {account: "3", until: 2026-12-31T18:00:00Z}
  - {account: "4", until: 2026-12-31T18:00:00.5+02:00}
  - {account: "5", until: "2026-12-31T00:00:00Z"}
  - {account: "6", until: 2001-02-03}
  - {account: "7"}
`)
	wholeDay := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, want := range []time.Time{
		wholeDay,
		wholeDay,
		time.Date(2026, 12, 31, 18, 0, 0, 0, time.UTC),
		time.Date(2026, 12, 31, 16, 0, 0, 5e8, time.UTC),
		time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Date(2001, 2, 4, 0, 0, 0, 0, time.UTC),
	} {
		end, ok := cfg.AssumeGuarded[i].Expiry()
		assert.True(t, ok, "entry %d", i)
		assert.True(t, want.Equal(end), "entry %d: %s", i, end)
	}
	_, ok := cfg.AssumeGuarded[6].Expiry()
	assert.False(t, ok, "an entry without an end has none")
	_, ok = Match{Until: "tomorrow"}.Expiry()
	assert.False(t, ok)
}

func TestWindowsAreOfThreeTypes(t *testing.T) {
	for _, want := range []WindowType{WindowSliding, WindowTumbling, WindowSession} {
		assert.Equal(t, want, rules(t, `[{window: {type: `+string(want)+`}}]`)[0].Window.Type)
	}
	assert.Equal(t, WindowSliding, rules(t, `[{window: {size: 2m}}]`)[0].Window.Type)
}

// The bounds themselves are allowed.
func TestLimitsMayBeAsWideAsTheyGo(t *testing.T) {
	for limit, given := range map[int]string{1: "1", 100_000: "100000", 100: "null"} {
		assert.Equal(t, limit, rules(t, `[{alert: {limit: `+given+`}}]`)[0].Alert.Limit)
	}
	for mib, given := range map[int]string{16: "16", 1 << 20: "1048576", 256: "null"} {
		cfg := mustDecode(t, `{max_state_mib: `+given+`}`)
		assert.Equal(t, mib, cfg.MaxStateMiB)
		assert.Equal(t, int64(mib)<<20, cfg.MaxBytes())
	}
}
