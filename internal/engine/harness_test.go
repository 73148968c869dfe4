// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/internal/settings"
)

// rig is a component created by its factory, with everything around it that a test looks at.
type rig struct {
	detector
	face   *face
	next   *downstream
	tel    *componenttest.Telemetry
	logged *observer.ObservedLogs
	dead   bool // nothing is expected of its shutdown
}

// newRig makes a component of settings in YAML; {} is the built-in rule.
func newRig(t testing.TB, settings string) *rig {
	t.Helper()
	return rigOf(t, configure(t, settings))
}

func rigOf(t testing.TB, config *settings.Config) *rig {
	t.Helper()
	next := new(downstream)
	r := rigInto(t, config, next)
	r.next = next
	return r
}

// newQuietRig makes a component whose output nobody looks at.
func newQuietRig(t testing.TB, settings string) *rig {
	t.Helper()
	return rigInto(t, configure(t, settings), consumertest.NewNop())
}

func rigInto(t testing.TB, config *settings.Config, next consumer.Logs) *rig {
	t.Helper()
	core, logged := observer.New(zap.DebugLevel)
	r := &rig{face: faceOf(t), tel: componenttest.NewTelemetry(), logged: logged}
	set := componentSettings{
		id:        component.MustNewID("gen_ai_guardrail"),
		telemetry: r.tel.NewTelemetrySettings(),
		build:     component.BuildInfo{Version: "1.2.3"},
	}
	set.telemetry.Logger = zap.New(core)
	set.telemetry.Resource.Attributes().PutStr("service.name", "otelcol-guardrail")
	set.telemetry.Resource.Attributes().PutStr("service.instance.id", "instance-1")
	set.telemetry.Resource.Attributes().PutStr("host.name", "not of interest")
	r.detector = r.face.create(t, &set, config, next)
	t.Cleanup(func() {
		if err := r.Shutdown(context.Background()); !r.dead {
			require.NoError(t, err)
		}
		require.NoError(t, r.tel.Shutdown(context.Background()))
	})
	return r
}

func configure(t testing.TB, text string) *settings.Config {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return decode(t, conf)
}

func decode(t testing.TB, conf *confmap.Conf) *settings.Config {
	t.Helper()
	config := faceOf(t).defaults()
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	return config
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
}

// consume asserts that logs are accepted without an error.
func (r *rig) consume(t testing.TB, logs plog.Logs) {
	t.Helper()
	require.NoError(t, r.ConsumeLogs(t.Context(), logs))
}

// at sets the processor's clock.
func (r *rig) at(now time.Time) { r.SetClock(func() time.Time { return now }) }

// forwarded asserts that n records have been forwarded, or none by a component that forwards nothing.
func (r *rig) forwarded(t *testing.T, n int) {
	t.Helper()
	if !r.face.forwards {
		n = 0
	}
	assert.Len(t, r.next.passed(), n)
}

// messages returns what was logged at a level.
func (r *rig) messages(level zapcore.Level) (all []string) {
	for _, entry := range r.logged.FilterLevelExact(level).All() {
		all = append(all, entry.Message)
	}
	return all
}

// downstream is the next component. It keeps a copy of everything it receives, and
// may modify what it received.
type downstream struct {
	wreck bool // overwrites what it received

	mu       sync.Mutex // guards the fields below
	received []plog.Logs
	refuse   func(context.Context, plog.Logs) error // nil: takes everything
}

func (*downstream) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (d *downstream) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	d.mu.Lock()
	refuse := d.refuse
	d.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx, logs); err != nil {
			return err
		}
	}
	kept := plog.NewLogs()
	logs.CopyTo(kept)
	if d.wreck {
		wreck(logs)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received = append(d.received, kept)
	return nil
}

// refusing sets the function that decides which logs are refused.
func (d *downstream) refusing(refuse func(context.Context, plog.Logs) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = refuse
}

// wreck overwrites logs, then empties them.
func wreck(logs plog.Logs) {
	for _, record := range records(logs) {
		if record.Body().Type() == bytesBody {
			for i := range record.Body().Bytes().Len() {
				record.Body().Bytes().SetAt(i, '#')
			}
		}
		record.Body().SetStr("#")
		for _, value := range record.Attributes().All() {
			value.SetStr("#")
		}
		record.Attributes().Clear()
	}
	logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
}

// batches returns the batches that were accepted, in order.
func (d *downstream) batches() []plog.Logs {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.received)
}

// alertBatches returns the batches of alert records that were accepted, in order.
func (d *downstream) alertBatches() (all []plog.Logs) {
	for _, logs := range d.batches() {
		if isAlerts(logs) {
			all = append(all, logs)
		}
	}
	return all
}

// alerts returns the alert records that were accepted.
func (d *downstream) alerts() (alerts []plog.LogRecord) {
	for _, logs := range d.alertBatches() {
		alerts = append(alerts, records(logs)...)
	}
	return alerts
}

// opened returns the alert records with the state open.
func (d *downstream) opened() (opened []plog.LogRecord) {
	for _, record := range d.alerts() {
		if attr(record, "gen_ai_guardrail.alert.state") == "open" {
			opened = append(opened, record)
		}
	}
	return opened
}

// passed returns the records that were accepted and are not alerts.
func (d *downstream) passed() (passed []plog.LogRecord) {
	for _, logs := range d.batches() {
		if !isAlerts(logs) {
			passed = append(passed, records(logs)...)
		}
	}
	return passed
}

// isAlerts reports whether logs are a batch of a component's own alerts.
func isAlerts(logs plog.Logs) bool {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			if strings.HasPrefix(scope.Scope().Name(), "example.com/otelcol-guardrail/") {
				return true
			}
		}
	}
	return false
}

func records(logs plog.Logs) (all []plog.LogRecord) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				all = append(all, record)
			}
		}
	}
	return all
}

// attr returns an attribute as text, empty if there is none.
func attr(record plog.LogRecord, key string) string {
	value, ok := record.Attributes().Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

// attrsOf returns an attribute of each record as text.
func attrsOf(all []plog.LogRecord, key string) (values []string) {
	for _, record := range all {
		values = append(values, attr(record, key))
	}
	return values
}
