// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// memory is the state folder of collectors that run one after another and export to one sink.
type memory struct {
	dir  string
	sink *sink.Sink
}

func newMemory(t *testing.T) memory {
	t.Helper()
	return memory{filepath.Join(t.TempDir(), "state"), sink.Start(t)}
}

func (m memory) settings(configs ...string) collector.Settings {
	return collector.Settings{
		Configs:    append([]string{"e2e/testdata/otlp.yaml", "e2e/testdata/state.yaml"}, configs...),
		Extensions: []string{"file_storage/state"},
		Env:        []string{"E2E_OUT=" + m.sink.Address, "E2E_STATE=" + m.dir},
	}
}

func (m memory) start(t *testing.T, configs ...string) pipeline {
	t.Helper()
	c := collector.Start(t, m.settings(configs...))
	return pipeline{c, c.Dial(t), m.sink}
}

// run runs a collector that fails to start.
func (m memory) run(t *testing.T, configs ...string) collector.Result {
	t.Helper()
	args := []string{}
	for _, config := range m.settings(configs...).Configs {
		args = append(args, "--config", config)
	}
	return collector.Run(t, append(m.settings().Env, "E2E_IN=/nowhere/socket"), args...)
}

func (m memory) files(t *testing.T) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(m.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return err
	}))
	require.NotEmpty(t, paths)
	return paths
}

// However a collector is stopped, the next one knows what was counted and which alerts were delivered.
func TestARestartKeepsCountsAndAlerts(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			m := newMemory(t)
			calls, known := bedrock.Burst("alice", 6), bedrock.Logs(bedrock.Burst("bob", 6)...)
			p := m.start(t)
			require.Empty(t, p.pass(t, bedrock.Logs(calls[:5]...)))
			require.Len(t, p.pass(t, known), 1)
			p.Stop(signal)

			p = m.start(t)
			m.sink.Take() // alerts not known to be delivered are sent again
			raised := p.pass(t, bedrock.Logs(calls[5]))
			require.Len(t, raised, 1)
			assert.Equal(t, 6, raised[0].count())
			assert.Len(t, raised[0].attributes["gen_ai_guardrail.request_ids"], 6)
			assert.Empty(t, p.pass(t, known), "its alert was delivered before")
		})
	}
}

func TestAnAlertRefusedUntilShutdownIsDeliveredAfterTheRestart(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t)
	m.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	requests := m.sink.Take()
	require.GreaterOrEqual(t, len(requests), 2)
	refused := alertsIn(requests[1].Logs)
	require.Len(t, refused, 1)
	result := p.Stop(syscall.SIGTERM)
	assert.Zero(t, result.Code)
	assert.NotContains(t, result.Stderr, "could not be delivered", "it is kept in the state")

	m.sink.Become(sink.Accept)
	m.start(t)
	later := m.sink.Await(t, func(r sink.Request) bool { return r.Err == nil && holdsAlerts(r.Logs) })
	assert.Equal(t, refused, alertsIn(later.Logs))
}

// The state contains no prompt and no answer.
func TestStateHoldsNoPromptsAndIsReadableByItsOwnerOnly(t *testing.T) {
	t.Parallel()
	const secret = "the heron nests behind the old lock"
	m := newMemory(t)
	calls := bedrock.Burst("alice", 40)
	for i := range calls {
		calls[i].Prompt, calls[i].Answer, calls[i].Metadata = secret, secret, map[string]string{"note": secret}
	}
	p := m.start(t)
	m.sink.Become(sink.To(holdsAlerts, sink.Refuse)) // so that an alert is stored
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls...)))
	p.Stop(syscall.SIGKILL)

	found := false
	for _, path := range m.files(t) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), path)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NotContains(t, string(content), "heron", path)
		found = found || strings.Contains(string(content), "user/alice")
	}
	assert.True(t, found, "these files are not the state")
}

func TestAnUnwritableStateFolderIsNamedAtStart(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	require.NoError(t, os.Mkdir(m.dir, 0o500))
	if os.Getuid() == 0 { // root may write anywhere except for here
		m.dir = "/sys/kernel"
		if _, err := os.Stat(m.dir); err != nil {
			t.Skip("root may write anywhere")
		}
	}
	result := m.run(t)
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "gen_ai_guardrail")
	assert.Contains(t, result.Stderr, m.dir)
	assert.Contains(t, result.Stderr, "permission denied")
}

func TestStateInUseByAnotherCollectorIsReportedAtStart(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.start(t)
	result := m.run(t)
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "another collector")
}

// Some damage file_storage does not recognise: it reports that the file is not one of its own.
func TestACompletelyDamagedFileIsReportedAtStart(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.start(t).Stop(syscall.SIGTERM)
	require.NoError(t, os.WriteFile(m.files(t)[0], make([]byte, 32<<10), 0o600))
	result := m.run(t)
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "gen_ai_guardrail")
	assert.Contains(t, result.Stderr, "damaged")
}

func TestOneProcessorInTwoPipelinesIsRefusedWithStorage(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	result := m.run(t, "yaml:service::pipelines::logs/second: {receivers: [otlp], processors: [gen_ai_guardrail], exporters: [otlp_grpc]}")
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "gen_ai_guardrail/a", "what to configure instead")
	assert.NotContains(t, result.Stderr, "timeout")
}
