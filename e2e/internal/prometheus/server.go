// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pollInterval is how often a condition is checked. Prometheus signals no event that could be waited for.
const pollInterval = 100 * time.Millisecond

// Server is a running Prometheus.
type Server struct{ *process }

// Start runs Prometheus with a configuration file and waits until it is ready. It is killed at the end of the test.
func Start(t *testing.T, config string) *Server {
	t.Helper()
	s := &Server{start(t, Tool(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+t.TempDir())}
	s.Await(t, "Prometheus to be ready", func() bool { return s.get(t.Context(), "/api/v1/alerts", nil, new(any)) == nil })
	return s
}

// StartAlertmanager runs Alertmanager with a configuration file, until the end of the test. It returns its address.
func StartAlertmanager(t *testing.T, config string) (address string) {
	t.Helper()
	p := start(t, Tool(t, "prometheus-alertmanager", "alertmanager"), "--config.file="+config, "--storage.path="+t.TempDir(),
		"--cluster.listen-address=")
	return p.URL[len("http://"):]
}

// alert is an alert that is pending or firing.
type alert struct {
	Labels map[string]string
	State  string
}

// has reports whether the alert has a name and, among others, these labels.
func (a alert) has(name string, labels map[string]string) bool {
	for key, value := range labels {
		if a.Labels[key] != value {
			return false
		}
	}
	return a.Labels["alertname"] == name
}

func (s *Server) firing(t *testing.T) (firing []alert) {
	t.Helper()
	var data struct{ Alerts []alert }
	require.NoError(t, s.get(t.Context(), "/api/v1/alerts", nil, &data))
	for _, a := range data.Alerts {
		if a.State == "firing" {
			firing = append(firing, a)
		}
	}
	return firing
}

// Fires reports whether an alert with these labels, among others, fires.
func (s *Server) Fires(t *testing.T, name string, labels map[string]string) bool {
	t.Helper()
	return slices.ContainsFunc(s.firing(t), func(a alert) bool { return a.has(name, labels) })
}

// AwaitFiring waits until an alert fires.
func (s *Server) AwaitFiring(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	s.Await(t, fmt.Sprint(name, labels, " to fire"), func() bool { return s.Fires(t, name, labels) })
}

// AwaitSilence waits until an alert does not fire.
func (s *Server) AwaitSilence(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	s.Await(t, fmt.Sprint(name, labels, " to go silent"), func() bool { return !s.Fires(t, name, labels) })
}

// Sample is a value of a series.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query returns the result of an expression, a vector.
func (s *Server) Query(t *testing.T, expression string) (samples []Sample) {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	require.NoError(t, s.get(t.Context(), "/api/v1/query", url.Values{"query": {expression}}, &data), expression)
	for _, result := range data.Result {
		value, err := strconv.ParseFloat(result.Value[1].(string), 64)
		require.NoError(t, err)
		samples = append(samples, Sample{result.Metric, value})
	}
	return samples
}

// QueryRange returns how many series an expression has had within the last hour, which is longer than any test runs.
func (s *Server) QueryRange(t *testing.T, expression string) (series int) {
	t.Helper()
	var data struct{ Result []json.RawMessage }
	now := time.Now()
	require.NoError(t, s.get(t.Context(), "/api/v1/query_range", url.Values{
		"query": {expression}, "step": {"1s"}, "start": {now.Add(-time.Hour).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)},
	}, &data), expression)
	return len(data.Result)
}

// AwaitResult waits until an expression has a result.
func (s *Server) AwaitResult(t *testing.T, expression string) {
	t.Helper()
	s.Await(t, "a result of "+expression, func() bool { return len(s.Query(t, expression)) > 0 })
}

// Await waits until a condition holds, which is checked several times a second.
func (s *Server) Await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for tick := time.NewTicker(pollInterval); ; {
		if condition() {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// client keeps no connection, which would outlive the test.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// get decodes the data of an answer.
func (s *Server) get(ctx context.Context, path string, values url.Values, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path+"?"+values.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, answer.Error)
	}
	return nil
}
