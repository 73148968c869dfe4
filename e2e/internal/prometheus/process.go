// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait.
const patience = time.Minute

// Tool returns the path of the first of the programs that is installed. Without any of them it ends the test: it is skipped, or fails
// in CI.
func Tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "%s is not installed: apt-get install prometheus prometheus-alertmanager"
	if os.Getenv("CI") == "true" {
		t.Fatalf(missing, names[0])
	}
	t.Skipf(missing, names[0])
	return ""
}

// process is a running server.
type process struct {
	URL string

	cmd    *exec.Cmd
	mu     sync.Mutex // guards log
	log    strings.Builder
	exited chan struct{} // closed when the process has exited
}

// listening is the line in which both servers report the address that they got.
var listening = regexp.MustCompile(`msg="Listening on".* address=(\S+)`)

// start runs a server on a port that the system chooses, until the end of the test.
func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, append(args, "--web.listen-address=127.0.0.1:0")...), exited: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	address := make(chan string, 1)
	go p.follow(stderr, address)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("the log of %s:\n%s", path, p.output())
		}
	})
	select {
	case at := <-address:
		p.URL = "http://" + at
	case <-p.exited:
		t.Fatalf("%s does not start: %s", path, p.output())
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %v: %s", path, patience, p.output())
	}
	return p
}

// follow keeps what the process logs, and reports its address.
func (p *process) follow(stderr io.Reader, address chan<- string) {
	defer close(p.exited)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			select {
			case address <- found[1]:
			default:
			}
		}
	}
	_ = p.cmd.Wait()
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}
