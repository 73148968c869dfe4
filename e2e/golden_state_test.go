// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/version"
)

var writeState = flag.Bool("write-state", false, "write the state of this version to testdata/state")

// goldenStates holds a folder for each version: its state folder, the rules with which it was written, and the alerts that were raised.
const goldenStates = "testdata/state"

// goldenAlert identifies an alert record that was emitted while a golden state was written.
type goldenAlert struct {
	Rule, User, ID, UID string
}

func goldenAlertOf(a alert) goldenAlert {
	return goldenAlert{a.rule(), a.user(), a.id(), a.text("log.record.uid")}
}

// The callers in a golden state: what they did before the upgrade, and, from the number on, what they do after it.
var (
	halfway = bedrock.Burst("halfway", 6)  // 5 before: no window alerts yet
	known   = bedrock.Burst("known", 51)   // 6 before: alerts were delivered
	waiting = bedrock.Burst("waiting", 6)  // 6 before: alerts were refused
	stopped = afterIntervention("stopped") // 1 before: a guardrail intervened
	early   = afterIntervention("early")   // the second before: it waits for an intervention, which arrives late
)

// afterIntervention returns two calls: a guardrail stops the first, and the second is made without it.
func afterIntervention(name string) []bedrock.Call {
	calls := bedrock.Burst(name, 2)
	calls[0].Guardrail, calls[0].Intervened = "gr5f2k", true
	return calls
}

// Whoever upgrades keeps what was counted, the alerts that are open and those that wait for delivery.
func TestStateOfEarlierVersionsIsContinued(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join(goldenStates, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(folder, "alerts.json"))
			require.NoError(t, err)
			var before []goldenAlert
			require.NoError(t, json.Unmarshal(text, &before))
			continueState(t, folder, before)
		})
	}
}

func continueState(t *testing.T, folder string, before []goldenAlert) {
	m := newMemory(t)
	require.NoError(t, os.CopyFS(m.dir, os.DirFS(filepath.Join(folder, "state"))))
	p := m.start(t, filepath.Join("e2e", folder, "config.yaml"))

	undelivered := slices.DeleteFunc(slices.Clone(before), func(a goldenAlert) bool { return a.User != bedrock.User("waiting") })
	require.NotEmpty(t, undelivered)
	var delivered []goldenAlert
	for len(delivered) < len(undelivered) {
		for _, a := range alertsIn(m.sink.Await(t, func(r sink.Request) bool { return holdsAlerts(r.Logs) }).Logs) {
			delivered = append(delivered, goldenAlertOf(a))
		}
	}
	assert.ElementsMatch(t, undelivered, delivered)

	for _, step := range []struct {
		sent []bedrock.Call
		want []string
	}{
		{halfway[5:], []string{"sessions open halfway 6", "unguarded_invocations open halfway 6"}},
		{slices.Concat(halfway, known[:6], waiting), nil}, // repeats
		{known[6:], []string{"sessions escalated known 51", "tumbling open known 21", "unguarded_invocations escalated known 51"}},
		{stopped[1:], []string{"around_the_guardrail open stopped 1"}},
		{early[:1], []string{"around_the_guardrail open early 1"}},
	} {
		var got []string
		for _, a := range p.pass(t, bedrock.Logs(step.sent...)) {
			name := a.user()[strings.LastIndex(a.user(), "/")+1:]
			got = append(got, fmt.Sprintf("%s %s %s %d", a.rule(), a.state(), name, a.count()))
			if a.state() == "escalated" {
				assert.True(t, slices.ContainsFunc(before, func(b goldenAlert) bool { return b.ID == a.id() }), "another alert than before: %s", got)
			}
			if a.rule() == "around_the_guardrail" {
				assert.Equal(t, name+"-1", a.text("gen_ai_guardrail.intervention.request_id"))
			}
		}
		slices.Sort(got)
		assert.Equal(t, step.want, got)
	}
}

// Whoever goes back to an earlier version must see that it could not read the state, and must not lose that state for the later version.
func TestStateOfALaterVersionIsSetAside(t *testing.T) {
	t.Parallel()
	const folder = goldenStates + "/0.1.0"
	m := newMemory(t)
	require.NoError(t, os.CopyFS(m.dir, os.DirFS(filepath.Join(folder, "state"))))
	file := m.files(t)[0]
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(content), pointer(1), "the form of the pointer is documented, and never changes")
	content = bytes.ReplaceAll(content, []byte(pointer(1)), []byte(pointer(2)))
	require.NoError(t, os.WriteFile(file, content, 0o600))

	p := m.start(t, filepath.Join("e2e", folder, "config.yaml"))
	assert.Empty(t, p.pass(t, bedrock.Logs(halfway[5:]...)), "it starts empty")
	result := p.Stop(syscall.SIGTERM)
	assert.Zero(t, result.Code)
	assert.Contains(t, result.Stderr, "is set aside")
	content, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(content), "1/root", "the state of the later version")
	assert.Contains(t, string(content), "2/root", "its own")
}

// pointer returns the stored value that names the first epoch, as a version of the format writes it: see docs/state-format.md.
func pointer(version byte) string {
	value := []byte{version, 1, 1}
	return string(binary.LittleEndian.AppendUint32(value, crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli))))
}

// With -write-state, the state of this version is added to those that later ones must read. `make golden-state` does this, once for each
// release: what users have on their disks does not change any more.
func TestWriteStateForLaterVersions(t *testing.T) {
	if !*writeState {
		t.Skip("only with -write-state")
	}
	folder := filepath.Join(goldenStates, version.Version)
	require.NoError(t, os.MkdirAll(goldenStates, 0o755))
	require.NoError(t, os.Mkdir(folder, 0o755), "a state that was released must not change")
	m := newMemory(t)
	m.dir = filepath.Join(collector.Root(t), "e2e", folder, "state")
	const config = "testdata/golden-state.yaml"
	p := m.start(t, filepath.Join("e2e", config))
	m.sink.Become(sink.To(holdsAlertOf(bedrock.User("waiting")), sink.Refuse))
	var raised []goldenAlert
	for _, calls := range [][]bedrock.Call{halfway[:5], known[:6], waiting, stopped[:1], early[1:]} {
		require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls...)))
		for _, request := range m.sink.Take() {
			for _, a := range alertsIn(request.Logs) {
				if one := goldenAlertOf(a); !slices.Contains(raised, one) { // what is refused is retried
					raised = append(raised, one)
				}
			}
		}
	}
	require.Len(t, raised, 4, "two rules, two callers")
	require.Zero(t, p.Stop(syscall.SIGTERM).Code)

	text, err := json.MarshalIndent(raised, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "alerts.json"), append(text, '\n'), 0o644))
	rules, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "config.yaml"), rules, 0o644))
}
