// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "slices"

// key numbers an attribute that is looked up.
type key uint16

// The attributes that are looked up whatever the settings are, in the order of
// [attributes]. Those that the settings name get the numbers after them.
const (
	keyAccount key = iota
	keyRegion
	keyModel
	keyModelECS
	keyRequestID
	keyRequestIDDot
	keyResponseID
	keyRequestIDECS
	keyMethod
	keyActionECS
	keyOperation
	keyProvider
	keySystem
	keyFinishReasons
	keyResponseModel
	keyGuardrailVersion
	keyGuardrailVersionAWS
	keyPolicyAction
	keyViolation
	keyErrorType
	keyErrorCode
	keyOutcome
	keyOutputMessages
	keyCompletion
	keyOutputTokens
	keyCompletionTokens
	keySchemaType
	keyModelID

	// The others are looked up only in spans.
	keyService
	keySpanKind
	keyAIOperation
	keyRequestType
	keyLLMFinishReason
	keyLLMStopReason
	keyAIFinishReason
	keyFinishReason
	keyStopReason
	keyLLMResponseFinish
	keyLLMResponseStop
	keyCompletionFinish
	keyParameters
	keyRequestBody
	keyAnswerBody
	keyProviderMetadata
	keyStrandsTime
	keyKoogEvent
	keyRustInvocation

	ownKeys // the number of these keys
)

// logKeys is the number of keys that are looked up in log records. These come first, so
// that a key has the same number wherever it is looked up.
const logKeys = keyService

// decisiveKeys are the keys that alone can decide the verdict on an attribute
// record, besides the guardrail keys of the settings.
var decisiveKeys = []key{
	keySchemaType, keyModelID, keyModelECS,
	keyFinishReasons, keyOutputMessages, keyGuardrailVersion, keyGuardrailVersionAWS,
}

// decisiveSpanKeys are the keys that alone can decide whether a span is an
// invocation, and the verdict on it, besides the finish reasons and the guardrail keys
// of the settings.
var decisiveSpanKeys = []key{
	keyMethod, keyService, keyOperation, keySpanKind, keyAIOperation, keyRequestType,
	keyOutputMessages, keyParameters, keyGuardrailVersion, keyGuardrailVersionAWS, keyErrorType, keyErrorCode,
}

// The lists that do not depend on the settings.
var (
	guardrailVersionKeys = logKeysOf(meansVersion)
	failureKeys          = logKeysOf(meansFailure)
	outcomeKeys          = logKeysOf(meansOutcome)
	bedrockKeys          = logKeysOf(meansBedrockRecord)
)

// vocabulary holds the keys that are looked up in one kind of records.
type vocabulary struct {
	table    *keyTable // of all keys
	decisive *keyTable // of the keys that alone can decide a verdict and, in log records, of the part that is described

	user, guardrail, region, model, operation, provider keyList

	requestID, answerID, requestIDECS keyList // in this order
}

// newLogVocabulary returns the keys that are looked up in log records.
func newLogVocabulary(options *Options, fields part) vocabulary {
	v := newVocabulary(options, inLogs)
	v.decisive = v.table.subset(slices.Concat(decisiveKeys, v.guardrail.keys, v.partKeys(fields))...)
	return v
}

// newVocabulary returns the keys that are looked up in a kind of records, without the
// decisive ones. Keys of their own have the same numbers in both kinds.
func newVocabulary(options *Options, in signals) (v vocabulary) {
	table := newKeyTable(in)
	v.table = table
	v.user = listOf(table.addAll(options.UserKeys)...)
	v.guardrail = listOf(table.addAll(options.GuardrailKeys)...)
	for _, list := range []struct {
		of    *keyList
		means meaning
	}{
		{&v.region, meansRegion},
		{&v.model, meansModel},
		{&v.operation, meansOperation},
		{&v.provider, meansProvider},
		{&v.requestID, meansRequestID},
		{&v.answerID, meansAnswerID},
		{&v.requestIDECS, meansRequestIDECS},
	} {
		*list.of = listOf(table.addAll(namesOf(list.means, in))...)
	}
	return v
}
