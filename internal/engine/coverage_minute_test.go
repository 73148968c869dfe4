// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/invocation"
)

// watched is a started processor in a bubble of its own time.
func watched(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		test(t, r)
	})
}

// wait lets time pass, and all that is due in it.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// The operator must learn the cause, what it means and what to do, even if nothing arrives after that minute.
func TestEachBlindSpotHasItsOwnWarning(t *testing.T) {
	for evidence, test := range map[invocation.Evidence]struct {
		field, meaning, remedy, anchor string
	}{
		invocation.NoEvidence:   {"no_group", "no value for the first key", "user_keys", "#no-group"},
		invocation.NoBody:       {"unknown/no_body", "hold no answer", "delivery of text", "#no-body"},
		invocation.Unreadable:   {"unknown/unreadable", "cut off or broken", "size limit", "#unreadable"},
		invocation.Unrecognised: {"unknown/unrecognised", "does not know", "Update", "#unrecognised"},
		invocation.Several:      {"unknown/several", "with others in one log record", "Split them", "#several"},
		invocation.Untold:       {"unknown/untold", "whether or not a guardrail ran", "guardrail_keys", "#untold"},
	} {
		t.Run(test.field, func(t *testing.T) {
			watched(t, func(t *testing.T, r *rig) {
				r.CountAsRead(t.Context(), 88, map[invocation.Evidence]int{evidence: 12})
				wait(62 * time.Second)
				warnings := r.logged.FilterLevelExact(zap.WarnLevel).All()
				require.Len(t, warnings, 1)
				for _, part := range []string{test.meaning, test.remedy, "docs/inputs.md" + test.anchor} {
					assert.Contains(t, warnings[0].Message, part)
				}
				assert.EqualValues(t, 12, warnings[0].ContextMap()[test.field])
			})
		})
	}
}

// A kind of unknown invocations that no text explains would be silent again.
func TestEveryKindOfUnknownInvocationIsABlindSpot(t *testing.T) {
	explained := engine.BlindSpotAnchors()
	for _, kind := range invocation.Kinds() {
		if kind.Verdict == invocation.Unknown {
			assert.Contains(t, explained, kind.String())
		}
	}
}

func TestBlindSpotsOverATenthCauseAWarningOnceAnHour(t *testing.T) {
	const noBody, noGroup = invocation.NoBody, invocation.NoEvidence
	for name, test := range map[string]struct {
		guarded int
		blind   map[invocation.Evidence]int
		warns   []string // how each warning ends
	}{
		"all is seen":                {100, nil, nil},
		"a tenth without an answer":  {90, map[invocation.Evidence]int{noBody: 10}, nil},
		"over a tenth":               {89, map[invocation.Evidence]int{noBody: 11}, []string{"#no-body"}},
		"two causes over a tenth":    {70, map[invocation.Evidence]int{noBody: 15, noGroup: 15}, []string{"#no-body", "#no-group"}},
		"over a tenth only together": {80, map[invocation.Evidence]int{noBody: 10, noGroup: 10}, []string{"docs/inputs.md"}},
		"a tenth together":           {90, map[invocation.Evidence]int{noBody: 5, noGroup: 5}, nil},
		"all of very few":            {0, map[invocation.Evidence]int{noBody: 9}, nil},
		"all of a few":               {0, map[invocation.Evidence]int{noBody: 10}, []string{"#no-body"}},
	} {
		t.Run(name, func(t *testing.T) {
			watched(t, func(t *testing.T, r *rig) {
				ends := func() (ends []string) {
					for _, message := range r.messages(zap.WarnLevel) {
						ends = append(ends, message[max(strings.LastIndexByte(message, ' ')+1, strings.LastIndexByte(message, '#')):])
					}
					return ends
				}
				r.CountAsRead(t.Context(), test.guarded, test.blind)
				wait(30 * time.Second)
				assert.Empty(t, ends(), "the minute is not over")
				wait(32 * time.Second)
				assert.ElementsMatch(t, test.warns, ends())
				for range 10 {
					r.CountAsRead(t.Context(), test.guarded, test.blind)
					wait(4 * time.Minute)
				}
				assert.Len(t, ends(), len(test.warns), "not every minute")
				wait(30 * time.Minute)
				r.CountAsRead(t.Context(), test.guarded, test.blind)
				wait(2 * time.Minute)
				assert.Len(t, ends(), 2*len(test.warns), "but again if it goes on")
			})
		})
	}
}

// A cause that appears later must not be hidden by the warning of another.
func TestEachBlindSpotHasAnHourOfItsOwn(t *testing.T) {
	watched(t, func(t *testing.T, r *rig) {
		r.CountAsRead(t.Context(), 0, map[invocation.Evidence]int{invocation.NoBody: 20})
		wait(2 * time.Minute)
		r.CountAsRead(t.Context(), 0, map[invocation.Evidence]int{invocation.Untold: 20, invocation.NoBody: 20})
		wait(2 * time.Minute)
		warnings := r.messages(zap.WarnLevel)
		require.Len(t, warnings, 2)
		assert.Contains(t, warnings[1], "#untold")
	})
}

// One envelope can hold hundreds of calls: none of them is judged, and no share shows it.
func TestFirstRecordOfSeveralCausesAWarningAtOnce(t *testing.T) {
	watched(t, func(t *testing.T, r *rig) {
		for range 5 {
			r.CountAsRead(t.Context(), 200, map[invocation.Evidence]int{invocation.Several: 1})
		}
		warnings := r.messages(zap.WarnLevel)
		require.Len(t, warnings, 1)
		assert.Contains(t, warnings[0], "several")
		assert.Contains(t, warnings[0], "docs/inputs.md#several")

		r.CountAsRead(t.Context(), 0, map[invocation.Evidence]int{invocation.Several: 50})
		wait(10 * time.Minute)
		assert.Len(t, r.messages(zap.WarnLevel), 1, "not again within the hour")
		wait(time.Hour)
		r.CountAsRead(t.Context(), 1000, map[invocation.Evidence]int{invocation.Several: 1})
		wait(2 * time.Minute)
		assert.Len(t, r.messages(zap.WarnLevel), 1, "nor for a single one later")
	})
}

// A short gap in coverage long ago says nothing about now.
func TestBlindSpotsAreLookedForMinuteByMinute(t *testing.T) {
	watched(t, func(t *testing.T, r *rig) {
		for range 30 {
			r.CountAsRead(t.Context(), 3, map[invocation.Evidence]int{invocation.NoBody: 1})
			wait(time.Minute)
		}
		assert.Empty(t, r.messages(zap.WarnLevel), "a quarter, but never ten in a minute")
	})
}

// The shares are those of the records as they were read.
func TestRecordsThatCannotBeJudgedOrGroupedAreBlindSpots(t *testing.T) {
	cut := bedrockLogs(call{user: "alice", at: noon})
	body := records(cut)[0].Body()
	body.SetStr(body.Str()[:len(body.Str())-20])
	array := bedrockLogs(call{user: "alice", at: noon})
	body = records(array)[0].Body()
	body.SetStr("[" + body.Str() + "," + body.Str() + "]")
	untold := eventLogs(call{user: "alice", at: noon})
	untold.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("openlit")
	for anchor, logs := range map[string]plog.Logs{
		"#no-body":    bedrockLogs(call{user: "alice", at: noon, offload: true}),
		"#no-group":   bedrockLogs(call{at: noon}),
		"#unreadable": cut,
		"#several":    array,
		"#untold":     untold,
	} {
		t.Run(anchor, func(t *testing.T) {
			watched(t, func(t *testing.T, r *rig) {
				for i := range 10 {
					r.consume(t, bedrockLogs(call{user: fmt.Sprint("user ", i), at: noon}))
					r.consume(t, logs)
				}
				wait(62 * time.Second)
				warnings := r.messages(zap.WarnLevel)
				require.Len(t, warnings, 1)
				assert.Contains(t, warnings[0], anchor)
			})
		})
	}
}

// What has no partition goes to no detector: the edge must say so, since the detectors see nothing of it.
func TestEdgesWarnOfInvocationsWithoutAPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{annotate: true, rules: []}`)
		r.start(t)
		logs := bedrockLogs(append(guarded(burst("alice", 9)), call{at: noon, id: "1"}, call{at: noon, id: "2", guarded: true})...)
		r.consume(t, logs)
		r.excluded(t, point(2, "reason", "no_partition"))
		wait(62 * time.Second)
		warnings := r.logged.FilterLevelExact(zap.WarnLevel).All()
		require.Len(t, warnings, 1)
		for _, part := range []string{"first field of partition_by", "user_keys", "docs/inputs.md#no-partition"} {
			assert.Contains(t, warnings[0].Message, part)
		}
		assert.EqualValues(t, 2, warnings[0].ContextMap()["no_partition"])
	})
}

// An instance that annotates nothing has no partitions to miss.
func TestPartitionsMatterOnlyToEdges(t *testing.T) {
	r := newRig(t, `{rules: [{group_by: [cloud.account.id]}]}`)
	r.consume(t, bedrockLogs(call{at: noon, id: "1"}))
	r.silent(t, "invocations_excluded")
}
