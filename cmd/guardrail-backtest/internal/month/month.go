// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package month makes up a month of invocation logs, of any size: a few hundred callers at work by day and by night,
// most of them with a guardrail. Some lose it for hours, some make bursts without one; records are delivered minutes
// later, some of them twice, and a few much later. A seed always makes the same month.
package month

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Start is when the month begins.
var Start = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

// Length is how long it lasts.
const Length = 30 * 24 * time.Hour

// Call is an invocation of the month.
type Call struct {
	At        int64 // nanoseconds since Start
	Delivered int64 // likewise
	Caller    int32
	Serial    int32 // of the call; one that is delivered again has the same
}

// Month is a month of calls.
type Month struct {
	Calls   []Call // in the order of delivery
	callers []caller
}

// caller is a program or a person.
type caller struct {
	arn, account, region string
	operation, model     string
	habit                habit
	unguarded            [][2]int64 // while it calls without a guardrail
}

// habit is what a caller's calls are like.
type habit uint8

const (
	guarded   habit = iota // its guardrail leaves evidence
	embedding              // calls a model that takes no guardrail
	silent                 // its log holds no answers
	careless               // never names a guardrail, but calls rarely
)

// New makes a month of about so many calls.
func New(calls int, seed uint64) *Month {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := &Month{}
	n := min(400, max(20, calls/500))
	weights := make([]float64, n)
	total := 0.0
	for i := range n {
		m.callers = append(m.callers, newCaller(rng, i))
		weights[i] = math.Exp(rng.NormFloat64() * 1.2)
		if m.callers[i].habit == careless {
			weights[i] = min(weights[i], 0.1)
		}
		total += weights[i]
	}
	for i := range m.callers {
		m.addCalls(rng, int32(i), int(float64(calls)*weights[i]/total))
	}
	slices.SortFunc(m.Calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.Delivered, b.Delivered), cmp.Compare(a.Serial, b.Serial))
	})
	return m
}

var (
	accounts = []string{"111122223333", "444455556666", "777788889999", "000011112222"}
	regions  = []string{"us-east-1", "eu-west-1", "eu-central-1"}
	models   = []string{
		"anthropic.claude-3-haiku-20240307-v1:0", "eu.anthropic.claude-sonnet-4-20250514-v1:0", "amazon.nova-lite-v1:0",
		"meta.llama3-1-70b-instruct-v1:0",
	}
)

func newCaller(rng *rand.Rand, i int) caller {
	c := caller{
		account:   accounts[rng.IntN(len(accounts))],
		region:    regions[rng.IntN(len(regions))],
		operation: []string{"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"}[rng.IntN(4)],
		model:     models[rng.IntN(len(models))],
		habit:     []habit{guarded, guarded, guarded, guarded, guarded, guarded, guarded, embedding, silent, careless}[i%10],
	}
	c.arn = fmt.Sprintf("arn:aws:sts::%s:assumed-role/Service%03d/worker-%d", c.account, i, rng.IntN(4))
	if i%4 == 3 {
		c.arn = fmt.Sprintf("arn:aws:iam::%s:user/person-%03d", c.account, i)
	}
	switch c.habit {
	case embedding:
		c.operation, c.model = "InvokeModel", "amazon.titan-embed-text-v2:0"
	case guarded:
		if i%3 == 0 { // loses its guardrail for an hour or two
			from := rng.Int64N(int64(Length - 3*time.Hour))
			c.unguarded = append(c.unguarded, [2]int64{from, from + int64(time.Hour) + rng.Int64N(int64(time.Hour))})
		}
	case silent, careless:
	}
	return c
}

// addCalls adds the calls of a caller, more of them by day.
func (m *Month) addCalls(rng *rand.Rand, index int32, n int) {
	const day = 24 * time.Hour
	for range max(1, n) {
		at := rng.Int64N(int64(Length))
		for rng.Float64() > 0.55-0.45*math.Cos(2*math.Pi*float64(at%int64(day))/float64(day)) {
			at = rng.Int64N(int64(Length))
		}
		m.add(rng, index, at)
	}
	if index%25 != 0 {
		return
	}
	burst := rng.Int64N(int64(Length - time.Hour)) // without a guardrail
	c := &m.callers[index]
	c.unguarded = append(c.unguarded, [2]int64{burst, burst + int64(2*time.Minute)})
	for i := range int64(12) {
		m.add(rng, index, burst+i*int64(5*time.Second))
	}
}

func (m *Month) add(rng *rand.Rand, index int32, at int64) {
	at -= at % int64(time.Second)
	c := Call{At: at, Delivered: at + int64(5*time.Second) + rng.Int64N(int64(4*time.Minute)), Caller: index, Serial: int32(len(m.Calls))}
	if rng.IntN(5000) == 0 {
		c.Delivered += int64(20 * time.Minute)
	}
	m.Calls = append(m.Calls, c)
	if rng.IntN(1000) == 0 { // delivered again
		c.Delivered += int64(time.Minute)
		m.Calls = append(m.Calls, c)
	}
}

// Folder returns the folder of the object that a call is delivered in.
func (m *Month) Folder(c Call) string {
	from := m.callers[c.Caller]
	return "AWSLogs/" + from.account + "/BedrockModelInvocationLogs/" + from.region + "/" +
		Start.Add(time.Duration(c.Delivered)).Format("2006/01/02/15")
}

// Append appends the record of a call to dst, with a newline.
func (m *Month) Append(dst []byte, c Call) []byte {
	from := &m.callers[c.Caller]
	words := rand.New(rand.NewPCG(uint64(c.Serial), 7))
	dst = append(dst, `{"timestamp":"`...)
	dst = Start.Add(time.Duration(c.At)).AppendFormat(dst, time.RFC3339)
	dst = append(dst, `","accountId":"`+from.account+`","region":"`+from.region+`","requestId":"`...)
	dst = fmt.Appendf(dst, "%08x-0000-4000-8000-%012x", uint32(c.Serial)*2654435761, c.Serial)
	dst = append(dst, `","operation":"`+from.operation+`","modelId":"`+from.model+`","input":{"inputContentType":"application/json"`...)
	converse := from.operation == "Converse" || from.operation == "ConverseStream"
	if from.habit != silent {
		dst = append(dst, `,"inputBodyJson":{"messages":[{"role":"user","content":[{"text":"`...)
		dst = appendText(dst, words, 40+words.IntN(120))
		dst = append(dst, `"}]}],"max_tokens":400}`...)
	}
	dst = append(dst, `,"inputTokenCount":`...)
	dst = strconv.AppendInt(dst, int64(40+words.IntN(300)), 10)
	if words.IntN(200) == 0 {
		dst = append(dst, `},"errorCode":"ThrottlingException","identity":{"arn":"`+from.arn+`"},"schemaType":"ModelInvocationLog","schemaVersion":"1.0"}`...)
		return append(dst, '\n')
	}
	dst = append(dst, `},"output":{"outputContentType":"application/json"`...)
	ran := from.habit == guarded && !slices.ContainsFunc(from.unguarded, func(span [2]int64) bool { return span[0] <= c.At && c.At < span[1] })
	switch {
	case from.habit == silent:
	case from.habit == embedding:
		dst = append(dst, `,"outputBodyJson":{"embedding":[0.25,0.5,-0.125,0.75],"inputTextTokenCount":12}`...)
	case converse:
		dst = append(dst, `,"outputBodyJson":{"output":{"message":{"role":"assistant","content":[{"text":"`...)
		dst = appendText(dst, words, 60+words.IntN(160))
		dst = append(dst, `"}]}},"stopReason":"end_turn"`...)
		if ran {
			dst = append(dst, `,"trace":{"guardrail":{"inputAssessment":{"b7h4y2c9lk0f":{"invocationMetrics":{"guardrailProcessingLatency":210}}}}}`...)
		}
		dst = append(dst, '}')
	case from.operation == "InvokeModel":
		dst = append(dst, `,"outputBodyJson":{"type":"message","role":"assistant","content":[{"type":"text","text":"`...)
		dst = appendText(dst, words, 60+words.IntN(160))
		dst = append(dst, `"}],"stop_reason":"end_turn"`...)
		if ran {
			dst = append(dst, `,"amazon-bedrock-guardrailAction":"NONE"`...)
		}
		dst = append(dst, '}')
	default:
		dst = append(dst, `,"outputBodyJson":[{"type":"message_start"},{"type":"content_block_delta","delta":{"text":"`...)
		dst = appendText(dst, words, 60+words.IntN(160))
		dst = append(dst, `"}},{"type":"message_stop"`...)
		if ran {
			dst = append(dst, `,"amazon-bedrock-guardrailAction":"NONE"`...)
		}
		dst = append(dst, "}]"...)
	}
	dst = append(dst, `,"outputTokenCount":`...)
	dst = strconv.AppendInt(dst, int64(40+words.IntN(400)), 10)
	dst = append(dst, `},"identity":{"arn":"`+from.arn+`"},"schemaType":"ModelInvocationLog","schemaVersion":"1.0"}`...)
	return append(dst, '\n')
}

var vocabulary = []string{
	"the", "of", "a", "museum", "letter", "ticket", "visitor", "please", "summarise", "translate", "catalogue", "and", "with", "from", "exhibit",
	"garden", "opening", "hours", "group", "guide", "answer", "question", "table", "number", "paper", "window", "how", "many", "when", "is", "are",
	"to", "in", "for", "it", "that", "this", "collection", "painting", "restoration", "archive", "century", "glass", "north", "south", "workshop",
}

func appendText(dst []byte, words *rand.Rand, n int) []byte {
	for i := range n {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, vocabulary[words.IntN(len(vocabulary))]...)
	}
	return dst
}
