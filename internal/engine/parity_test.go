// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// parityConfig is what config/elastic-parity.yaml sets, so that it is the file itself that is tested.
func parityConfig(t *testing.T) *settings.Config {
	t.Helper()
	file, err := confmaptest.LoadConf("../../config/elastic-parity.yaml")
	require.NoError(t, err)
	processors, err := file.Sub("processors")
	require.NoError(t, err)
	given, ok := processors.Get("gen_ai_guardrail").(map[string]any)
	require.True(t, ok)
	return decode(t, confmap.NewFromStringMap(given))
}

func TestParityRules(t *testing.T) {
	config := parityConfig(t)
	require.Len(t, config.Rules, 2)
	assert.Equal(t, settings.Default().Rules[0], config.Rules[0], "the built-in rule as it is")
	sustained := config.Rules[1]
	assert.Equal(t, "unguarded_sustained", sustained.ID)
	assert.Equal(t, alert.SeverityLow, sustained.Severity)
	assert.EqualValues(t, 21, sustained.RiskScore)
	assert.Equal(t, []string{"user.id"}, sustained.GroupBy)
	assert.Equal(t, settings.Default().Rules[0].Count, sustained.Count)
	assert.GreaterOrEqual(t, config.Retention, time.Hour)
}

// parityCall is a call with the whole second at which it was made, and whether the shipped query, too, takes it for unguarded.
type parityCall struct {
	call
	account string
	second  int
}

const (
	lookBack = 60 * 60 // seconds that a run of the shipped query looks back over
	schedule = 10 * 60 // seconds from one run to the next
)

// shippedUsers is the shipped query, run at every phase of its schedule over whatever was ingested: the users with more than
// five calls without a guardrail. It forgets account and minute.
func shippedUsers(calls []parityCall, delay int) map[string]bool {
	ingested := map[string][]int{}
	first, last := calls[0].second+delay, calls[0].second+delay
	for _, c := range calls {
		at := c.second + delay
		first, last = min(first, at), max(last, at)
		if !c.guarded {
			ingested[c.user] = append(ingested[c.user], at)
		}
	}
	found := map[string]bool{}
	for phase := range schedule {
		for run := first - lookBack + phase; run <= last+lookBack; run += schedule {
			for user, times := range ingested {
				n := 0
				for _, at := range times {
					if run-lookBack <= at && at <= run {
						n++
					}
				}
				if n > 5 {
					found[user] = true
				}
			}
		}
	}
	return found
}

// parityCalls are some hours of some users, each in a way of their own, many of them just within or just beyond what any rule sees.
func parityCalls(rng *rand.Rand) (calls []parityCall) {
	spans := []int{40, 59, 60, 61, 600, lookBack - schedule, lookBack - 1, lookBack, lookBack + 1, lookBack + 59, lookBack + 60, 2 * lookBack}
	for user := range 12 {
		name := fmt.Sprintf("arn:aws:iam::111122223333:user/user-%d", user)
		for range 1 + rng.IntN(3) {
			begin, span, n := rng.IntN(4*lookBack), spans[rng.IntN(len(spans))], 4+rng.IntN(4)
			for i := range n {
				second := begin + rng.IntN(span+1)
				switch i { // the ends are there
				case 0:
					second = begin
				case 1:
					second = begin + span
				}
				calls = append(calls, parityCall{
					call:    call{user: name, guarded: rng.IntN(12) == 0},
					account: []string{account, "444455556666"}[rng.IntN(2)],
					second:  second,
				})
			}
		}
	}
	slices.SortStableFunc(calls, func(a, b parityCall) int { return a.second - b.second })
	for i := range calls {
		calls[i].id = fmt.Sprint("call ", i)
		calls[i].at = noon.Add(time.Duration(calls[i].second) * time.Second)
	}
	return calls
}

// An hour's count and a day's alert are not gone with a restart.
func TestParityRulesSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := component.MustNewIDWithName("file_storage", "state")
		disk := storagetest.NewDisk()
		start := func() *rig {
			config := parityConfig(t)
			require.Equal(t, &storage, config.Storage)
			r := rigOf(t, config)
			host := &statusHost{extensions: map[component.ID]component.Component{storage: disk}}
			require.NoError(t, r.Start(t.Context(), host))
			require.NoError(t, r.AwaitState(t.Context()))
			return r
		}
		slow := func(minute int) plog.Logs {
			return bedrockLogs(call{user: "slow", id: strconv.Itoa(minute), at: noon.Add(time.Duration(minute) * time.Minute)})
		}
		r := start()
		for minute := 0; minute < 50; minute += 10 {
			r.consume(t, slow(minute))
			time.Sleep(10 * time.Minute)
		}
		r.consume(t, bedrockLogs(burst("fast", 5)...))
		disk = r.crash(disk)

		r = start()
		r.consume(t, bedrockLogs(burst("fast", 6)[5]))
		r.consume(t, slow(60))
		assert.Equal(t, []string{"unguarded_invocations", "unguarded_sustained", "unguarded_sustained"},
			attrsOf(r.next.opened(), "gen_ai_guardrail.rule.id"))
		disk = r.crash(disk)

		r = start()
		r.consume(t, slow(61))
		assert.Empty(t, r.next.alerts(), "it is open already")
	})
}

// Whoever replaces the shipped rule loses no user that it would find, at whichever minute its runs begin.
func TestParityFindsAllThatTheShippedRuleFinds(t *testing.T) {
	config := parityConfig(t)
	config.Storage = nil // the rules alone are looked at, with a clock of their own
	shipped, more := 0, 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		calls, delay := parityCalls(rng), rng.IntN(3*lookBack)
		r := rigOf(t, config)
		for i := 0; i < len(calls); {
			n := min(1+rng.IntN(3), len(calls)-i)
			now := calls[i+n-1].at.Add(time.Duration(delay) * time.Second)
			r.at(now)
			for _, c := range calls[i : i+n] {
				logs := eventLogs(c.call)
				records(logs)[0].Attributes().PutStr("cloud.account.id", c.account)
				r.consume(t, logs)
			}
			r.DueNow()
			i += n
		}
		found := map[string]bool{}
		for _, user := range attrsOf(r.next.opened(), "user.id") {
			found[user] = true
		}
		want := shippedUsers(calls, delay)
		for user := range want {
			assert.True(t, found[user], "seed %d: %s is not found, delay %ds, %v", seed, user, delay, calls)
		}
		shipped += len(want)
		more += len(found) - len(want)
		require.NoError(t, r.Shutdown(t.Context()))
	}
	assert.Positive(t, shipped)
	assert.Less(t, shipped, 60*12, "some do not alert: the streams are no floods")
	t.Logf("%d users as shipped, %d more of ours", shipped, more)
}
