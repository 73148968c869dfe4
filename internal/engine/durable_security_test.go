// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// hostileUsers are names that would run into another's, were the state put together carelessly.
func hostileUsers() []string {
	victim := "alice"
	key := string(detect.AppendKey(detect.AppendKey(nil, victim), account))
	return []string{
		"alice\x00", "\x00alice", "alice,cloud.account.id=" + account, "alice=", "alice%00", "alice\n", "\ufffd", "ALICE", " alice",
		key,                        // the group as the state has it
		key[:len(key)-1],           // and cut off
		"\x02\x08\x01",             // an event that refers to the page's first text
		"\x01" + key, "\x03" + key, // a text, an alert
		"state", "1/root", "1/1/0000000001", "1/o/0000000001",
		strings.Repeat("a", 127), strings.Repeat("a", 128), strings.Repeat("a", 1<<14), strings.Repeat("alice", 1<<16),
	}
}

// A user who can choose its name, model or ids can neither join another's group through the state, nor push it out of it,
// nor have its calls taken for repeats.
func TestStateKeepsHostileUsersSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		victims := burst("alice", 6)
		r := startDurable(t, disk)
		hostile := func() (calls []call) {
			for i, user := range hostileUsers() {
				for j := range 5 {
					c := call{user: user, id: fmt.Sprint(i, "-", j), at: noon.Add(time.Duration(j) * time.Second)}
					if j == 0 { // with the victim's ids, at the victim's times
						c.id, c.at = victims[i%6].id, victims[i%6].at
					}
					calls = append(calls, c)
				}
			}
			return calls
		}
		for i, c := range victims[:5] {
			r.consume(t, bedrockLogs(append(hostile()[i*7:i*7+7], c)...))
			r.consume(t, bedrockLogs(hostile()...))
			if i%2 == 0 {
				r = startDurable(t, r.kill())
			}
		}
		assert.Empty(t, r.next.alerts(), "nobody has made six calls")
		r = startDurable(t, r.kill())
		r.groups(t, point(int64(len(hostileUsers()))+1, "rule", builtIn))
		r.consume(t, bedrockLogs(victims[5]))
		alerts := r.next.opened()
		require.Len(t, alerts, 1)
		assert.Equal(t, "alice", attr(alerts[0], "user.id"))
		assert.Equal(t, "6", attr(alerts[0], "gen_ai_guardrail.count"))
		r.stateErrors(t, 0)

		// And each of the others by its own sixth call.
		r = startDurable(t, r.kill())
		for i, user := range hostileUsers() {
			r.consume(t, bedrockLogs(call{user: user, id: fmt.Sprint("sixth-", i), at: noon}))
			opened := r.next.opened()
			require.Len(t, opened, i+1, "%.20q", user)
			assert.Equal(t, user, attr(opened[i], "user.id"))
		}
	})
}

// What users write and are answered is in no stored value: neither in what is counted nor in an alert that waits.
func TestStateHoldsNoText(t *testing.T) {
	const secret = "the barometer hangs behind the third door"
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		r.next.refusing(refuseAlerts)
		for _, c := range burst("alice", 8) {
			logs := bedrockLogs(c)
			record := records(logs)[0]
			text := record.Body().Str()
			text = strings.Replace(text, `"text":"an answer"`, `"text":"`+secret+`"`, 1)
			text = strings.Replace(text, `The catalogue lists`, secret, 1)
			text = strings.Replace(text, `"region"`, `"requestMetadata":{"note":"`+secret+`"},"region"`, 1)
			require.Equal(t, 3, strings.Count(text, secret))
			record.Body().SetStr(text)
			record.Attributes().PutStr("note", secret)
			r.consume(t, logs)
			logs = eventLogs(call{user: "bob", id: c.id, at: c.at})
			for _, key := range []string{"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"} {
				records(logs)[0].Attributes().PutStr(key, secret)
			}
			records(logs)[0].Body().SetStr(secret)
			r.consume(t, logs)
		}
		require.Len(t, waiting(disk), 2)
		require.NoError(t, r.Shutdown(t.Context()))
		found := false
		for key, value := range disk.Values() {
			assert.NotContains(t, key+string(value), "barometer", key)
			found = found || bytes.Contains(value, []byte("alice"))
		}
		assert.True(t, found, "it would have been seen")
	})
}

// The state holds values, not hashes under a process's own key: a restart knows repeats of every kind of identity.
func TestRestartKnowsRepeatsOfEveryKind(t *testing.T) {
	kinds := map[string]func(i int) plog.Logs{
		"UUID": func(i int) plog.Logs {
			return bedrockLogs(call{user: "u", id: fmt.Sprintf("0d4c2b1a-0000-4000-8000-%012d", i), at: noon.Add(time.Duration(i))})
		},
		"UUID in capitals": func(i int) plog.Logs {
			return bedrockLogs(call{user: "u", id: fmt.Sprintf("0D4C2B1A-0000-4000-8000-%012d", i), at: noon.Add(time.Duration(i))})
		},
		"any text": func(i int) plog.Logs {
			return bedrockLogs(call{user: "u", id: fmt.Sprint("\x00 number ", i), at: noon.Add(time.Duration(i))})
		},
		"one text, other times": func(i int) plog.Logs {
			return bedrockLogs(call{user: "u", id: "the same", at: noon.Add(time.Duration(i))})
		},
		"content": func(i int) plog.Logs { return bedrockLogs(call{user: "u", at: noon.Add(time.Duration(i))}) },
		"content of an event": func(i int) plog.Logs {
			return eventLogs(call{user: "u", at: noon.Add(time.Duration(i))})
		},
		"observed": func(i int) plog.Logs {
			logs := eventLogs(call{user: "u", id: strconv.Itoa(i)})
			records(logs)[0].SetObservedTimestamp(stampOf(time.Now())) // another one each time
			return logs
		},
		"observed, UUID": func(i int) plog.Logs {
			logs := eventLogs(call{user: "u", id: fmt.Sprintf("0d4c2b1a-0000-4000-8000-%012d", i)})
			records(logs)[0].SetObservedTimestamp(stampOf(time.Now()))
			return logs
		},
	}
	if !faceOf(t).observes {
		delete(kinds, "observed")
		delete(kinds, "observed, UUID")
	}
	for name, record := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startDurable(t, storagetest.NewDisk())
				for i := range 5 {
					r.consume(t, record(i))
				}
				for restart := range 3 {
					time.Sleep(time.Second)
					r = startDurable(t, r.kill())
					for _, i := range slices.Backward([]int{0, 1, 2, 3, 4}) {
						r.consume(t, record(i))
					}
					r.excluded(t, point(5, "rule", builtIn, "reason", "duplicate"))
					assert.Empty(t, r.next.alerts(), restart)
				}
				r.consume(t, record(5))
				assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
			})
		})
	}
}

// A flood of other users pushes nobody out of the state who was not pushed out of memory as well.
func TestFloodEvictsNobodyThroughTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := burst("alice", 6)
		r := startDurable(t, storagetest.NewDisk())
		r.consume(t, bedrockLogs(calls[:5]...))
		for batch := range 20 {
			var flood []call
			for i := range 1000 {
				flood = append(flood, call{user: fmt.Sprint(batch, "-", i), id: "1", at: noon})
			}
			r.consume(t, eventLogs(flood...))
		}
		r = startDurable(t, r.kill())
		r.evicted(t, 0)
		r.groups(t, point(20_001, "rule", builtIn))
		r.consume(t, bedrockLogs(calls[5]))
		assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
	})
}
