// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import "time"

const (
	museum = "111122223333" // in production; its logs have the older key order
	lab    = "444455556666" // where things are tried out; its logs have the newer one

	virginia  = "us-east-1"
	ireland   = "eu-west-1"
	frankfurt = "eu-central-1"

	haiku  = "anthropic.claude-3-haiku-20240307-v1:0"
	sonnet = "eu.anthropic.claude-sonnet-4-20250514-v1:0"
	llama  = "meta.llama3-1-70b-instruct-v1:0"
	nova   = "amazon.nova-lite-v1:0"
	titan  = "amazon.titan-embed-text-v2:0"

	invokeModel    = "InvokeModel"
	invokeStream   = "InvokeModelWithResponseStream"
	converse       = "Converse"
	converseStream = "ConverseStream"
)

// outcome is what became of a call, and with it what its record says.
type outcome int

const (
	plain     outcome = iota // answered; no guardrail anywhere
	passed                   // a guardrail let it pass, tracing off: only InvokeModel and its stream leave a sign of it
	traced                   // a guardrail let it pass, and the trace names it
	blocked                  // a guardrail stopped the prompt, and the trace names it
	throttled                // refused by the service: an error and no answer
	withheld                 // logged without bodies
	offloaded                // passed a guardrail, but the answer was too long for the record and lies in an object of its own
)

// actor is one caller in one account: the group that the built-in rule counts by.
type actor struct {
	user, account, region string
	calls                 []calls
}

// calls are invocations of one kind.
type calls struct {
	operation, model string
	outcome          outcome
	at               []time.Time
	twice            []int // which of them are delivered a second time, in a later object
}

func role(account, name, session string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session
}

func user(account, name string) string {
	return "arn:aws:iam::" + account + ":user/" + name
}

// The callers that alert, by name because Expected needs them too.
var (
	prototyper = user(lab, "exhibit-prototyper")
	labeller   = user(museum, "label-drafts")
	summaries  = role(lab, "CatalogueSummaries", "worker-2")
)

var scenario = []actor{
	// A burst: eight calls within 40 seconds, the plainest case. One alert.
	{prototyper, lab, ireland, []calls{
		{invokeModel, llama, plain, at("09:22:05", "09:22:10", "09:22:16", "09:22:21", "09:22:27", "09:22:32", "09:22:38", "09:22:44"), nil},
	}},
	// A burst across a minute's edge: six within 50 seconds, three on each side, so that counting by calendar minutes never sees
	// more than three. One alert.
	{labeller, museum, virginia, []calls{
		{converse, nova, plain, at("09:44:34", "09:44:44", "09:44:53", "09:45:03", "09:45:13", "09:45:23"), nil},
	}},
	// A service that loses its guardrail in a release at 09:40 and has it back at 10:10: half an hour of six or seven calls a
	// minute. One alert, not thirty.
	{summaries, lab, ireland, []calls{
		{invokeModel, sonnet, passed, steadily(10, "09:38:02"), nil},
		{invokeModel, sonnet, plain, steadily(200, "09:40:05"), nil},
		{invokeModel, sonnet, passed, steadily(10, "10:10:30"), nil},
	}},

	// A guardrail stops a question; the same role asks three times without it within the next three minutes, in another session. No
	// alert from the built-in rule, one from a rule that counts what follows an intervention.
	{role(museum, "ExhibitWriters", "intern-1"), museum, virginia, []calls{
		{converse, nova, traced, at("09:50:31", "09:51:46"), nil},
		{converse, nova, blocked, at("09:53:12"), nil},
	}},
	{role(museum, "ExhibitWriters", "intern-2"), museum, virginia, []calls{
		{converse, nova, plain, at("09:54:03", "09:54:40", "09:55:21"), nil},
	}},

	// Guarded, tracing off: the answer says that a guardrail ran and not which. No alert, however busy.
	{role(museum, "TicketDeskTask", "task-41"), museum, virginia, []calls{
		{invokeModel, haiku, passed, every(6*time.Second, 10, "09:02:10"), nil},
		{invokeModel, haiku, passed, every(6*time.Second, 10, "10:20:03"), nil},
	}},
	// Guarded, and the last chunk of the stream names the guardrail. No alert.
	{role(museum, "GuideWriterLambda", "guide-writer"), museum, virginia, []calls{
		{invokeStream, haiku, traced, every(4*time.Second, 12, "09:02:12"), nil},
	}},
	// Guarded, and the trace of Converse names the guardrail. No alert.
	{role(museum, "PlantCareBot", "greenhouse-1"), museum, virginia, []calls{
		{converse, nova, traced, every(4*time.Second, 14, "09:31:04"), nil},
	}},
	// Guarded; one question is blocked. No alert.
	{role(museum, "VisitorChatTask", "chat-7c"), museum, virginia, []calls{
		{converseStream, nova, traced, every(4*time.Second, 12, "10:20:05"), nil},
		{converseStream, nova, blocked, at("10:20:55"), nil},
	}},
	// Throttled: eight refusals within half a minute are no answers, so nothing to guard. No alert.
	{role(museum, "SignpostTranslator", "run-318"), museum, virginia, []calls{
		{invokeModel, haiku, throttled, every(4*time.Second, 8, "09:31:10"), nil},
		{invokeModel, haiku, passed, every(5*time.Second, 4, "09:31:42"), nil},
	}},
	// Blocked a dozen times in a minute: somebody is trying, but every try met the guardrail. No alert from this rule.
	{user(museum, "press-office-trial"), museum, virginia, []calls{
		{invokeModel, haiku, blocked, every(4*time.Second, 12, "09:44:36"), nil},
	}},
	// Exactly five in a minute. The sixth comes sixty seconds after the first, which has just left the window. No alert.
	{user(museum, "audio-guide-editor"), museum, virginia, []calls{
		{invokeModel, haiku, plain, at("10:20:08", "10:20:19", "10:20:31", "10:20:44", "10:20:58", "10:21:08"), nil},
	}},
	// Six, but spread over an hour. No alert from the built-in rule.
	{user(museum, "night-porter"), museum, virginia, []calls{
		{converse, nova, plain, at("09:02:40", "09:14:15", "09:31:20", "09:44:50", "09:53:10", "10:02:00"), nil},
	}},
	// Embeddings: guardrails cannot be applied to them. No alert.
	{role(lab, "CatalogueSearch", "indexer"), lab, ireland, []calls{
		{invokeModel, titan, plain, every(2*time.Second, 20, "10:31:10"), nil},
	}},
	// A region that logs without bodies: nobody can see whether these were guarded. No alert.
	{role(museum, "ArchiveImport", "batch-9"), museum, frankfurt, []calls{
		{converse, nova, withheld, every(5*time.Second, 9, "09:15:03"), nil},
	}},
	// An answer over 100 KB lies in an object of its own; the record does not show it. No alert.
	{role(lab, "DocumentReview", "review-5"), lab, ireland, []calls{
		{converse, sonnet, traced, every(7*time.Second, 6, "10:30:04"), nil},
		{converse, sonnet, offloaded, at("10:30:49"), nil},
	}},
	// Exactly five distinct calls, one of them delivered twice: a repeat counts once. No alert.
	{user(lab, "map-room"), lab, ireland, []calls{
		{invokeStream, sonnet, plain, at("10:30:06", "10:30:15", "10:30:27", "10:30:38", "10:30:52"), []int{2}},
	}},
	// A role and session of the same name in either account, four calls each in one minute: two users. No alert.
	{role(museum, "Workbench", "guest-curator"), museum, virginia, []calls{
		{converse, nova, plain, every(9*time.Second, 4, "10:40:05"), nil},
	}},
	{role(lab, "Workbench", "guest-curator"), lab, ireland, []calls{
		{converse, sonnet, plain, every(9*time.Second, 4, "10:40:09"), nil},
	}},
	// The very same ARN recorded in both accounts, four calls each in one minute: eight by the name alone, but the rule counts by
	// user and account. No alert.
	{user(museum, "loan-registrar"), museum, virginia, []calls{
		{converseStream, nova, plain, every(10*time.Second, 4, "10:40:07"), nil},
	}},
	{user(museum, "loan-registrar"), lab, ireland, []calls{
		{converseStream, sonnet, plain, every(10*time.Second, 4, "10:40:12"), nil},
	}},
}
