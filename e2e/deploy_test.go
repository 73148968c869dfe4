// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	composetypes "github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	kyaml "sigs.k8s.io/yaml"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// manifests returns every object in deploy/kubernetes, by kind and name. Each is decoded strictly into the type that Kubernetes publishes
// for it: an unknown field or a value of another type fails the test.
func manifests(t *testing.T) map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(collector.Root(t), "deploy", "kubernetes", "*.yaml"))
	require.NoError(t, err)
	objects := map[string]any{}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var node map[string]any
			err := decoder.Decode(&node)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, file)
			document, err := yaml.Marshal(node)
			require.NoError(t, err)
			of := map[string]any{
				"v1/Namespace": &corev1.Namespace{}, "v1/Service": &corev1.Service{}, "apps/v1/StatefulSet": &appsv1.StatefulSet{},
				"policy/v1/PodDisruptionBudget": &policyv1.PodDisruptionBudget{}, "networking.k8s.io/v1/NetworkPolicy": &networkingv1.NetworkPolicy{},
			}
			kind := node["apiVersion"].(string) + "/" + node["kind"].(string)
			object := of[kind]
			require.NotNil(t, object, "%s has a %s, which nobody expects", file, kind)
			require.NoError(t, kyaml.UnmarshalStrict(document, object), "%s in %s", kind, file)
			objects[node["kind"].(string)+" "+node["metadata"].(map[string]any)["name"].(string)] = object
		}
	}
	return objects
}

// A manifest that the API server refuses, or that leaves a detector open to everybody, is worse than none.
func TestManifestsAreWhatTheyPromise(t *testing.T) {
	t.Parallel()
	objects := manifests(t)
	for _, name := range []string{"guardrail-edge", "guardrail-detector"} {
		set := objects["StatefulSet "+name].(*appsv1.StatefulSet)
		pod := set.Spec.Template.Spec
		labels := set.Spec.Template.Labels
		assert.Equal(t, labels, set.Spec.Selector.MatchLabels)
		assert.Equal(t, labels, objects["Service "+set.Spec.ServiceName].(*corev1.Service).Spec.Selector)
		assert.Equal(t, labels, objects["PodDisruptionBudget "+name].(*policyv1.PodDisruptionBudget).Spec.Selector.MatchLabels)
		assert.True(t, *pod.SecurityContext.RunAsNonRoot)
		require.Len(t, pod.Containers, 1)
		c := pod.Containers[0]
		assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
		assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
			require.NotNil(t, probe)
			assert.True(t, slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == probe.HTTPGet.Port.StrVal }))
		}
		require.Len(t, c.VolumeMounts, 1)
		assert.Equal(t, set.Spec.VolumeClaimTemplates[0].Name, c.VolumeMounts[0].Name)
		checkArguments(t, c.Args)
		for _, env := range c.Env {
			assert.Contains(t, settings(t, c.Args), "${env:"+env.Name, "no configuration reads %s", env.Name)
		}
	}
	edges := objects["StatefulSet guardrail-edge"].(*appsv1.StatefulSet)
	detectors := objects["StatefulSet guardrail-detector"].(*appsv1.StatefulSet)
	ranges := strings.Count(settings(t, edges.Spec.Template.Spec.Containers[0].Args), "  filter/detector-")
	assert.EqualValues(t, ranges, *detectors.Spec.Replicas, "a range for each detector")

	policy := objects["NetworkPolicy guardrail-detector"].(*networkingv1.NetworkPolicy).Spec
	assert.Equal(t, detectors.Spec.Template.Labels, policy.PodSelector.MatchLabels)
	for _, rule := range policy.Ingress {
		require.NotEmpty(t, rule.From, "an empty list lets everybody in")
		for _, port := range rule.Ports {
			if port.Port.IntValue() == 4317 {
				require.Len(t, rule.From, 1)
				assert.Equal(t, edges.Spec.Template.Labels, rule.From[0].PodSelector.MatchLabels)
				assert.Nil(t, rule.From[0].NamespaceSelector)
			}
		}
	}
	for name := range objects {
		assert.NotContains(t, name, "Autoscaler")
	}
}

// checkArguments requires the configurations that a container reads from the image to be there.
func checkArguments(t *testing.T, args []string) {
	t.Helper()
	for _, arg := range args {
		if strings.HasPrefix(arg, "/") {
			assert.FileExists(t, filepath.Join(collector.Root(t), "config", strings.TrimPrefix(arg, "/etc/otelcol-guardrail/")))
		}
	}
}

// settings returns the text of the configurations that a container reads from the image.
func settings(t *testing.T, args []string) string {
	t.Helper()
	var text strings.Builder
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "/etc/otelcol-guardrail/"); ok {
			part, err := os.ReadFile(filepath.Join(collector.Root(t), "config", name))
			require.NoError(t, err)
			text.Write(part)
		}
	}
	return text.String()
}

// The file is read by the library that Docker Compose uses, which checks it against the specification's schema.
func TestComposeFileIsValid(t *testing.T) {
	t.Parallel()
	file := filepath.Join(collector.Root(t), "deploy", "compose", "compose.yaml")
	project, err := loader.LoadWithContext(t.Context(), composetypes.ConfigDetails{
		WorkingDir:  filepath.Dir(file),
		ConfigFiles: []composetypes.ConfigFile{{Filename: file}},
	}, func(o *loader.Options) { o.SetProjectName("guardrail", true) })
	require.NoError(t, err)
	for name, service := range project.Services {
		checkArguments(t, service.Command)
		_, outside := service.Networks["outside"]
		assert.False(t, outside && strings.HasPrefix(name, "detector"), "%s can be reached from outside", name)
		for _, volume := range service.Volumes {
			if volume.Type == composetypes.VolumeTypeBind {
				assert.FileExists(t, volume.Source)
			}
		}
	}
}

// Prometheus in the compose file watches what the shipped configuration watches, at other addresses, and the backend counts for it.
func TestComposeWatchesAsTheShippedConfigurationDoes(t *testing.T) {
	t.Parallel()
	watching := func(path string) map[string]any {
		config := shippedYAML(t, path)
		for _, scrape := range append(config["scrape_configs"].([]any), config["alerting"].(map[string]any)["alertmanagers"].([]any)...) {
			delete(scrape.(map[string]any), "static_configs")
		}
		return config
	}
	assert.Equal(t, watching("config/prometheus.yaml"), watching("deploy/compose/prometheus.yaml"))

	command := shippedYAML(t, "deploy/compose/compose.yaml")["services"].(map[string]any)["backend"].(map[string]any)["command"].([]any)
	args := []string{"validate"}
	for _, arg := range command {
		args = append(args, strings.Replace(arg.(string), "/etc/otelcol-guardrail/", "config/", 1))
	}
	result := collector.RunGateway(t, args...)
	assert.Zero(t, result.Code, result.Stderr)
}

// A rule about a metric that does not exist never fires.
func TestPrometheusRulesUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	root := collector.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "health.yaml"))
	require.NoError(t, err)
	documented, err := os.ReadFile(filepath.Join(root, "processor", "guardrailprocessor", "documentation.md"))
	require.NoError(t, err)
	exporters := []string{"otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity", "otelcol_exporter_send_failed_log_records"}
	metrics := regexp.MustCompile(`otelcol_[a-z_]+`).FindAllString(string(text), -1)
	require.NotEmpty(t, metrics)
	for _, metric := range metrics {
		name := regexp.MustCompile(`_(bucket|count)$`).ReplaceAllString(metric, "") // of a histogram
		assert.True(t, slices.Contains(exporters, name) || strings.Contains(string(documented), "\n### "+name+"\n"), metric)
	}
}

// imageCommand returns the arguments with which a container of the image runs the collector by default.
func imageCommand(t *testing.T) (args []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), "deploy", "Dockerfile"))
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindSubmatch(text)
	require.NotNil(t, command)
	require.NoError(t, json.Unmarshal(command[1], &args))
	return args
}

// What the image holds, without an engine: the static binary starts in a root that is empty except for the configurations, as another user,
// and the health check finds it. A container that is reported as unhealthy although it works is replaced for nothing.
func TestImageContentRunsInAnEmptyRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("needs root, to change it")
	}
	const user = 10001
	project, root := collector.Root(t), t.TempDir()
	configs := filepath.Join(root, "etc", "otelcol-guardrail")
	require.NoError(t, os.CopyFS(configs, os.DirFS(filepath.Join(project, "config"))))
	overlay, err := os.ReadFile(filepath.Join(project, "deploy", "image.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(configs, "image.yaml"), overlay, 0o644))
	data := filepath.Join(root, "var", "lib", "otelcol-guardrail")
	require.NoError(t, os.MkdirAll(data, 0o755))
	require.NoError(t, os.Chown(data, user, user))
	binary, err := os.ReadFile(filepath.Join(project, "dist", "otelcol-guardrail"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "otelcol-guardrail"), binary, 0o755))
	build := exec.Command("go", "build", "-o", filepath.Join(root, "healthcheck"), "./cmd/healthcheck")
	build.Dir, build.Env = project, append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))

	inside := func(ctx context.Context, env []string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.Env = "/", env
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user, NoSetGroups: true}}
		return cmd
	}
	for name, args := range map[string][]string{
		"default":  imageCommand(t),
		"detector": {"--config", "/etc/otelcol-guardrail/scale-out/detector.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			port := 20000 + rand.IntN(12000) // which no other test of another checkout uses at the same time
			health := fmt.Sprintf("127.0.0.1:%d", port)
			folder := "/var/lib/otelcol-guardrail/" + name
			run := inside(t.Context(), []string{
				"GUARDRAIL_STATE=" + folder + "/state", "GUARDRAIL_QUEUE=" + folder + "/queue",
				"GUARDRAIL_LISTEN=127.0.0.1:0", "GUARDRAIL_LISTEN_HTTP=127.0.0.1:0",
				"GUARDRAIL_HEALTH=" + health, "GUARDRAIL_METRICS_HOST=127.0.0.1", fmt.Sprintf("GUARDRAIL_METRICS_PORT=%d", port+1),
			}, append([]string{"/otelcol-guardrail"}, args...)...)
			run.Stderr = &stderr
			require.NoError(t, run.Start())
			healthy := assert.Eventually(t, func() bool {
				return inside(t.Context(), nil, "/healthcheck", "http://"+health+"/").Run() == nil
			}, collector.Patience, 50*time.Millisecond)
			metrics, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port+1))
			if assert.NoError(t, err, "metrics are where the image says") {
				assert.NoError(t, metrics.Body.Close())
			}
			require.NoError(t, run.Process.Signal(syscall.SIGTERM))
			require.NoError(t, run.Wait(), stderr.String())
			require.True(t, healthy, stderr.String())
			assert.FileExists(t, filepath.Join(data, name, "state", "processor_gen_ai_guardrail__state"))
		})
	}
}
