// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scenario is the content of a scenario file.
type scenario struct {
	settings string
	steps    []scenarioStep
	crowds   []string // names of which there are many
}

// scenarioStep is calls that arrive as they are made, calls that arrive late, all
// at once, or a time in which nothing comes.
type scenarioStep struct {
	calls []scenarioCall
	late  bool
	wait  time.Duration
}

type scenarioCall struct {
	at                     time.Duration // since midnight
	user, account, verdict string
}

var (
	scenarioLine = regexp.MustCompile(`^(late )?(\d\d:\d\d:\d\d) +(\S+) +(\d{12}) +(unguarded|presumed|guarded|blocked|unknown)(?: +x(\d+))?(?: +every +(\S+))?$`)
	scenarioMany = regexp.MustCompile(`^(.+-)\{1\.\.(\d+)\}$`)
)

func parseScenario(t *testing.T, text string) *scenario {
	t.Helper()
	s := &scenario{settings: "{}"}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case word == "settings":
			s.settings = rest
		case word == "wait":
			d, err := time.ParseDuration(rest)
			require.NoError(t, err, line)
			s.steps = append(s.steps, scenarioStep{wait: d})
		default:
			late, calls := s.parseCalls(t, line)
			last := len(s.steps) - 1
			if last < 0 || s.steps[last].late != late || s.steps[last].wait > 0 {
				s.steps = append(s.steps, scenarioStep{late: late})
				last++
			}
			s.steps[last].calls = append(s.steps[last].calls, calls...)
		}
	}
	for _, step := range s.steps {
		if !step.late {
			slices.SortStableFunc(step.calls, func(a, b scenarioCall) int { return int(a.at - b.at) })
		}
	}
	return s
}

func (s *scenario) parseCalls(t *testing.T, line string) (late bool, calls []scenarioCall) {
	t.Helper()
	parts := scenarioLine.FindStringSubmatch(line)
	require.NotNil(t, parts, "cannot be read: %s", line)
	instant, err := time.Parse(time.TimeOnly, parts[2])
	require.NoError(t, err, line)
	at := instant.Sub(instant.Truncate(24 * time.Hour))
	times, every := 1, time.Second
	if parts[6] != "" {
		times, err = strconv.Atoi(parts[6])
		require.NoError(t, err, line)
	}
	if parts[7] != "" {
		every, err = time.ParseDuration(parts[7])
		require.NoError(t, err, line)
	}
	users := []string{parts[3]}
	if many := scenarioMany.FindStringSubmatch(parts[3]); many != nil {
		s.crowds = append(s.crowds, many[1])
		n, err := strconv.Atoi(many[2])
		require.NoError(t, err, line)
		users = nil
		for i := range n {
			users = append(users, many[1]+strconv.Itoa(i+1))
		}
	}
	for i := range times {
		for _, user := range users {
			calls = append(calls, scenarioCall{at + time.Duration(i)*every, user, parts[4], parts[5]})
		}
	}
	return parts[1] != "", calls
}

// begin is when the first call arrives that is not late.
func (s *scenario) begin() time.Duration {
	for _, step := range s.steps {
		if !step.late && len(step.calls) > 0 {
			return step.calls[0].at
		}
	}
	return 0
}
