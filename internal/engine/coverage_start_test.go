// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

func foreign(n int) plog.Logs { return linesOf(make([]call, n)) }

// ownAlerts are alerts emitted by an earlier processor.
func ownAlerts(n int) plog.Logs {
	logs := foreign(n)
	logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName(throughProcessor.scope())
	return logs
}

// Otherwise an operator whose records are not understood would wait for alerts forever.
func TestRecordsWithoutAnInvocationAreWarnedOf(t *testing.T) {
	guarded := bedrockLogs(call{user: "alice", at: noon, guarded: true})
	for name, test := range map[string]struct {
		send  []plog.Logs // at once
		after time.Duration
		warns bool
	}{
		"a thousand at once":                    {[]plog.Logs{foreign(999), foreign(1)}, 2 * time.Second, true},
		"few, before the minute is over":        {[]plog.Logs{foreign(999)}, 50 * time.Second, false},
		"few in a minute, and nothing more":     {[]plog.Logs{foreign(3)}, 62 * time.Second, true},
		"an invocation among a thousand others": {[]plog.Logs{foreign(999), guarded, foreign(5000)}, time.Hour, false},
		"nothing at all":                        {nil, time.Hour, false},
		"alerts of another processor":           {[]plog.Logs{ownAlerts(2000)}, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, `{}`)
				r.start(t)
				sent := 0
				for _, logs := range test.send {
					r.consume(t, logs)
					sent += logs.LogRecordCount()
				}
				time.Sleep(test.after)
				synctest.Wait()
				if !test.warns {
					assert.Empty(t, r.messages(zap.WarnLevel))
					return
				}
				warnings := r.logged.FilterLevelExact(zap.WarnLevel).All()
				require.Len(t, warnings, 1)
				assert.Contains(t, warnings[0].Message, "Amazon Bedrock's model-invocation log records")
				assert.Contains(t, warnings[0].Message, "docs/inputs.md#no-invocations")
				assert.EqualValues(t, sent, warnings[0].ContextMap()["records"])
				for range 3 { // once, whatever follows
					r.consume(t, foreign(2000))
					r.consume(t, guarded)
					time.Sleep(2 * time.Hour)
				}
				synctest.Wait()
				assert.Len(t, r.messages(zap.WarnLevel), 1)
			})
		})
	}
}

// A collector with mixed logs is not at fault when hours pass without a call of a model.
func TestRecordsWithoutAnInvocationAreNotWarnedOfOnceOneWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.consume(t, bedrockLogs(call{user: "alice", at: noon, guarded: true}))
		for range 5 {
			time.Sleep(time.Hour)
			r.consume(t, foreign(5000))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, r.messages(zap.WarnLevel))
	})
}

// The minute runs from the first record on: a collector may wait for hours for it.
func TestTheFirstMinuteBeginsWithTheFirstRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		time.Sleep(3 * time.Hour)
		r.consume(t, foreign(1))
		time.Sleep(50 * time.Second)
		r.consume(t, bedrockLogs(call{user: "alice", at: noon, guarded: true}))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, r.messages(zap.WarnLevel))
	})
}

// An operator who has just started it sees whether it detects anything.
func TestFirstRecordsAreSummarizedWithinSeconds(t *testing.T) {
	calls := append(burst("alice", 3), call{user: "bob", at: noon, guarded: true}, call{user: "bob", at: noon, offload: true})
	const settings = `{approved_guardrails: [gr2]}` // which bob's is not
	mixed := bedrockLogs(calls...)
	foreign(7).ResourceLogs().MoveAndAppendTo(mixed.ResourceLogs())
	for name, test := range map[string]struct {
		logs  plog.Logs
		after time.Duration
		says  string
	}{
		"nothing":     {plog.NewLogs(), 11 * time.Second, "No record has arrived yet. For how to get them here, see docs/inputs.md#no-invocations"},
		"other":       {foreign(7), 7 * time.Second, "Records read so far: 7, of which invocations: 0. For how to get them here, see docs/inputs.md#no-invocations"},
		"invocations": {mixed, 7 * time.Second, "Records read so far: 12, of which invocations: 5 (without an approved guardrail: 4, impossible to judge: 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, settings)
				r.start(t)
				r.consume(t, test.logs)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				assert.Empty(t, r.logged.All(), "too early to say")
				time.Sleep(test.after)
				synctest.Wait()
				assert.Equal(t, []string{test.says}, r.messages(zap.InfoLevel))
				time.Sleep(time.Hour)
				synctest.Wait()
				assert.Len(t, r.messages(zap.InfoLevel), 1, "once")
			})
		})
	}
}

// The first records are also summarized when they arrive late.
func TestFirstRecordsThatComeLateAreStillSummarized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		time.Sleep(time.Hour)
		r.consume(t, bedrockLogs(call{user: "alice", at: noon, guarded: true}))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		said := r.messages(zap.InfoLevel)
		require.Len(t, said, 2)
		assert.True(t, strings.HasPrefix(said[1], "Records read so far: 1, of which invocations: 1 "), said[1])
	})
}

// Counting must not make callers wait for each other, nor lose any of them.
func TestRecordsOfConcurrentCallsAreAllCounted(t *testing.T) {
	const calls = 200
	r := newQuietRig(t, `{}`)
	done := make(chan struct{}, 4)
	for range cap(done) {
		go func() {
			defer func() { done <- struct{}{} }()
			for range calls {
				logs := foreign(3)
				bedrockLogs(call{user: "alice", at: noon, offload: true}).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
				assert.NoError(t, r.ConsumeLogs(t.Context(), logs))
			}
		}()
	}
	for range cap(done) {
		<-done
	}
	records, invocations, unknown := r.Seen()
	assert.EqualValues(t, 4*4*calls, records)
	assert.EqualValues(t, 4*calls, invocations)
	assert.EqualValues(t, 4*calls, unknown)
}
