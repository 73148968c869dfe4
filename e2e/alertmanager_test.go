// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/prometheus"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// Whoever is on call hears of an alert once when it opens and once when it is closed, whatever is delivered twice and whoever restarts in
// between.
func TestAlertmanagerNotifiesOnceOfEachAlert(t *testing.T) {
	t.Parallel()
	oncall := startPager(t)
	m := monitor(t, startAlertmanager(t, oncall))
	settings := counting(t, "yaml:processors::gen_ai_guardrail::rules: [{alert: {keep_alive: 20s}}]")
	s := sink.Start(t)
	start := func() pipeline {
		c := shipped(t, settings, s)
		m.scrape(t, countsJob, "a", c.CountsAddress())
		return pipeline{c, c.Dial(t), s}
	}
	records := func(state string) string {
		return `gen_ai_guardrail_alert_records_total{gen_ai_guardrail_alert_state="` + state + `"}`
	}

	p := start()
	s.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	opened := s.Await(t, func(r sink.Request) bool { return holdsAlerts(r.Logs) })
	s.Become(sink.Accept)
	m.AwaitResult(t, records("open")+" >= 2") // counted at each delivery

	notice := oncall.await(t, "firing GenAIGuardrailAlert")
	assert.Equal(t, bedrock.User("alice"), notice.Annotations["user"])
	assert.Equal(t, bedrock.Account, notice.Annotations["account"])
	assert.Equal(t, "https://github.com/otelcol-guardrail/otelcol-guardrail/blob/main/docs/investigate.md", notice.Annotations["runbook_url"])
	assert.Contains(t, notice.Annotations["summary"], "user/alice in account "+bedrock.Account)
	assert.Equal(t, "medium", notice.Labels["severity"])
	assert.Equal(t, alertsIn(opened.Logs)[0].id(), notice.Labels["gen_ai_guardrail_alert_id"])
	assert.ElementsMatch(t, []string{
		"alertname", "kind", "severity", "event_severity", "security_rule_name", "gen_ai_guardrail_alert_id", "gen_ai_guardrail_rule_id",
		"gen_ai_guardrail_group", "user_id", "cloud_account_id",
	}, slices.Collect(maps.Keys(notice.Labels)), "none that changes when the collector restarts")

	// A record that says it is closed comes from outside.
	require.NoError(t, p.Send(t.Context(), closing(opened.Logs)))
	assert.NotContains(t, p.Counts(), `"closed"`)

	require.Zero(t, p.Stop(syscall.SIGTERM).Code)
	s.Take()
	p = start()
	m.AwaitResult(t, "absent_over_time("+records("open")+"[2s])") // the new collector knows nothing of it
	assert.True(t, m.Fires(t, "GenAIGuardrailAlert", nil), "it is still open")
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 60)...)))
	oncall.await(t, "firing GenAIGuardrailAlertEscalated")
	closed := s.Await(t, func(r sink.Request) bool { return holdsAlerts(r.Logs) && alertsIn(r.Logs)[0].state() == "closed" })
	assert.Equal(t, 60, alertsIn(closed.Logs)[0].count())
	oncall.await(t, "resolved GenAIGuardrailAlert")
	oncall.await(t, "resolved GenAIGuardrailAlertEscalated")
	m.AwaitSilence(t, "GenAIGuardrailAlert", nil)
	assert.ElementsMatch(t, []string{
		"firing GenAIGuardrailAlert", "firing GenAIGuardrailAlertEscalated",
		"resolved GenAIGuardrailAlert", "resolved GenAIGuardrailAlertEscalated",
	}, oncall.heard())
}

// Panels and rules by account are right only if every invocation is counted once, whatever its time and however many arrive together.
func TestInvocationsAreCountedByAccount(t *testing.T) {
	t.Parallel()
	c := shipped(t, counting(t), sink.Start(t))
	client := c.Dial(t)
	const requests = 40
	var senders sync.WaitGroup
	for i := range requests {
		senders.Go(func() {
			maker := callMaker{name: fmt.Sprintf("user-%d", i)}
			calls := append(maker.make(3, "111122223333", "gr4uncovered"), maker.make(1, "444455556666", "")...)
			for n := range calls {
				calls[n].Time = calls[n].Time.Add(-time.Duration(i*7%requests) * time.Minute)
			}
			assert.NoError(t, client.Send(t.Context(), anonymous(calls)))
		})
	}
	senders.Wait()
	assert.Equal(t, map[string]float64{
		`gen_ai_guardrail_account_invocations_total{cloud_account_id="111122223333",gen_ai_guardrail_verdict="guarded"}`:   3 * requests,
		`gen_ai_guardrail_account_invocations_total{cloud_account_id="444455556666",gen_ai_guardrail_verdict="unguarded"}`: requests,
	}, collector.Samples(c.Counts()))
}

// closing returns an alert record with its state changed to closed.
func closing(logs plog.Logs) plog.Logs {
	forged := plog.NewLogs()
	logs.CopyTo(forged)
	record := recordsIn(forged)[0]
	record.Attributes().PutStr("gen_ai_guardrail.alert.state", "closed")
	return forged
}

// pager receives the notifications of an Alertmanager.
type pager struct {
	url string

	mu      sync.Mutex // guards notices
	notices []notice
}

// notice is an alert in a notification.
type notice struct {
	Status              string
	Labels, Annotations map[string]string
	StartsAt            time.Time
}

func (n notice) String() string { return n.Status + " " + n.Labels["alertname"] }

// repeats reports whether another notice says the same. A notification repeats the alerts that its group had before; an alert that
// ended and fires again has another start.
func (n notice) repeats(other notice) bool {
	return n.String() == other.String() && maps.Equal(n.Labels, other.Labels) && n.StartsAt.Equal(other.StartsAt)
}

func startPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// ServeHTTP takes a notification.
func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var message struct{ Alerts []notice }
	if json.NewDecoder(r.Body).Decode(&message) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range message.Alerts {
		if !slices.ContainsFunc(p.notices, n.repeats) {
			p.notices = append(p.notices, n)
		}
	}
}

// await waits for the notice that something fires or is resolved.
func (p *pager) await(t *testing.T, what string) (found notice) {
	t.Helper()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		at := slices.IndexFunc(p.notices, func(n notice) bool { return n.String() == what })
		if at >= 0 {
			found = p.notices[at]
		}
		return at >= 0
	}, collector.Patience, 50*time.Millisecond, what)
	return found
}

// heard returns everything that was heard.
func (p *pager) heard() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.notices {
		all = append(all, n.String())
	}
	return all
}

// startAlertmanager runs Alertmanager with the shipped configuration, except for intervals and for the receiver on call, and returns its
// address.
func startAlertmanager(t *testing.T, oncall *pager) string {
	t.Helper()
	config := shippedYAML(t, "config/prometheus/alertmanager.yaml")
	route := config["route"].(map[string]any)
	route["group_wait"], route["group_interval"] = "100ms", "400ms"
	for _, receiver := range config["receivers"].([]any) {
		if receiver := receiver.(map[string]any); receiver["name"] == "on-call" {
			receiver["webhook_configs"] = []any{map[string]any{"url": oncall.url}}
		}
	}
	return prometheus.StartAlertmanager(t, writeYAML(t, filepath.Join(t.TempDir(), "alertmanager.yaml"), config))
}

// The tools that the two servers come with accept the shipped files, and the rules do what their own tests say.
func TestPrometheusFilesAreValid(t *testing.T) {
	t.Parallel()
	promtool, amtool := prometheus.Tool(t, "promtool"), prometheus.Tool(t, "amtool")
	for _, args := range [][]string{
		{promtool, "check", "config", "config/prometheus.yaml"},
		{promtool, "check", "config", "--syntax-only", "deploy/compose/prometheus.yaml"},
		{promtool, "test", "rules", "config/prometheus/tests/alerts.yaml", "config/prometheus/tests/health.yaml"},
		{amtool, "check-config", "config/prometheus/alertmanager.yaml"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = collector.Root(t)
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, output)
	}
}
