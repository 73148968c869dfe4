// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// builtIn is the built-in rule.
var builtIn = detect.Rule{Threshold: 5, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour}

// span is how long a generation of arrival of it lasts.
const span = (time.Minute+time.Hour)/(detect.Generations-1) + 1

func ruleOf(id, fingerprint string, rule detect.Rule) RuleDetector {
	return RuleDetector{ID: id, Fingerprint: fingerprint, Detector: detect.New(rule)}
}

// lab is a store at work, with what it said.
type lab struct {
	*Store
	t      *testing.T
	disk   *storagetest.Disk
	loaded *Loaded
	logs   *observer.ObservedLogs
	now    time.Time // running time

	mu      sync.Mutex // guards what follows
	reports []error
	late    map[uint64][]byte // alerts that could not be read at the start
}

// start opens the state on a disk. Without rules there is the built-in one.
func start(t *testing.T, disk *storagetest.Disk, rules ...RuleDetector) *lab {
	t.Helper()
	return startOn(t, disk, clientOf(t, disk), rules...)
}

func clientOf(t *testing.T, disk *storagetest.Disk) storage.Client {
	t.Helper()
	client, err := disk.GetClient(t.Context(), component.KindProcessor, component.MustNewID("guardrail"), "state")
	require.NoError(t, err)
	return client
}

func startOn(t *testing.T, disk *storagetest.Disk, client storage.Client, rules ...RuleDetector) *lab {
	t.Helper()
	if rules == nil {
		rules = []RuleDetector{ruleOf("rule", "as it is", builtIn)}
	}
	core, logs := observer.New(zap.InfoLevel)
	l := &lab{t: t, disk: disk, logs: logs}
	loader, err := Open(t.Context(), Settings{Client: client, Rules: rules, Logger: zap.New(core), Report: l.report, Late: l.takeLate})
	require.NoError(t, err)
	l.Store, l.loaded, err = loader.Load(t.Context())
	require.NoError(t, err)
	l.Run()
	l.now = l.loaded.Running
	l.commit() // what it writes at once
	return l
}

func (l *lab) report(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports = append(l.reports, err)
}

func (l *lab) takeLate(alerts map[uint64][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = alerts
}

// reported returns and forgets what was reported so far; "" says that the storage works again.
func (l *lab) reported() (texts []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.reports {
		if err == nil {
			texts = append(texts, "")
		} else {
			texts = append(texts, err.Error())
		}
	}
	l.reports = nil
	return texts
}

// said reports whether the log has a line with the text.
func (l *lab) said(text string) bool {
	for _, entry := range l.logs.All() {
		if strings.Contains(entry.Message, text) {
			return true
		}
	}
	return false
}

// invoke counts invocations of a user by the first rule. Calls with the same number are repeats.
func (l *lab) invoke(user string, from, to int) detect.Result {
	return invoke(l.Rules[0].Detector, l.now, user, from, to)
}

func invoke(detector *detect.Detector, now time.Time, user string, from, to int) detect.Result {
	var events []detect.Event
	for i := from; i < to; i++ {
		events = append(events, detect.Event{
			Time: noon.Add(time.Duration(i) * time.Millisecond).UnixNano(),
			Key:  detect.AppendKey(nil, user), ID: strconv.Itoa(i),
		})
	}
	return detector.Observe(events, now)
}

// knows checks that the first n invocations, and none of the next hundred, are counted.
// They all are afterwards.
func (l *lab) knows(user string, n int) {
	l.t.Helper()
	assert.Equal(l.t, n, l.invoke(user, 0, n).Repeats, user)
	assert.Zero(l.t, l.invoke(user, n, n+100).Repeats, user)
}

func (l *lab) commit() {
	l.t.Helper()
	require.NoError(l.t, l.Commit(l.t.Context()))
}

// pass lets running time pass, with a turn a minute.
func (l *lab) pass(d time.Duration) (emitted []detect.Alert) {
	for end := l.now.Add(d); l.now.Before(end); {
		l.now = l.now.Add(min(time.Minute, end.Sub(l.now)))
		for _, rule := range l.Rules {
			emitted = append(emitted, rule.Detector.Tick(l.now)...)
		}
		l.Advance(l.now)
		synctest.Wait()
	}
	return emitted
}

// crash ends the store as kill -9 would, and returns what is on the disk then.
func (l *lab) crash() *storagetest.Disk {
	disk := l.disk.Crash()
	_ = l.Close(l.t.Context())
	return disk
}

func (l *lab) close() {
	l.t.Helper()
	require.NoError(l.t, l.Close(l.t.Context()))
}

// crashed runs a store that is killed in the end, and returns what is on the disk then.
func crashed(t *testing.T, run func(l *lab)) *storagetest.Disk {
	t.Helper()
	l := start(t, storagetest.NewDisk())
	run(l)
	return l.crash()
}

// copyOf returns a disk with the same on it.
func copyOf(disk *storagetest.Disk) *storagetest.Disk {
	other := storagetest.NewDisk()
	for key, value := range disk.Values() {
		other.Put(key, value)
	}
	return other
}

// bubble runs a test in which time passes only when all wait.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// timePasses lets a storage that failed be asked again.
func timePasses() {
	time.Sleep(maxRetry)
	synctest.Wait()
}

// errBroken is what a broken storage says.
var errBroken = errors.New("input/output error")

func broken(int, []*storage.Operation) error { return errBroken }

// hang makes the disk's calls wait until the returned function is called.
func hang(disk *storagetest.Disk) (end func()) {
	released := make(chan struct{})
	disk.Faulty(func(int, []*storage.Operation) error {
		<-released
		return nil
	})
	return func() {
		disk.Faulty(nil)
		close(released)
		synctest.Wait()
	}
}
