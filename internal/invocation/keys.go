// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// key numbers an attribute that is looked up.
type key uint16

// The attributes that are looked up whatever the settings are. Those that the
// settings name get the numbers after them.
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
)

var keyNames = [...]string{ //nolint:gosec // G101: tokens are what models count in, no secrets
	keyAccount:             attrAccount,
	keyRegion:              attrRegion,
	keyModel:               attrModel,
	keyModelECS:            attrModelECS,
	keyRequestID:           attrRequestID,
	keyRequestIDDot:        attrRequestIDDot,
	keyResponseID:          attrResponseID,
	keyRequestIDECS:        attrRequestIDECS,
	keyMethod:              attrMethod,
	keyActionECS:           attrActionECS,
	keyOperation:           attrOperation,
	keyProvider:            "gen_ai.provider.name",
	keySystem:              "gen_ai.system",
	keyFinishReasons:       "gen_ai.response.finish_reasons",
	keyResponseModel:       "gen_ai.response.model",
	keyGuardrailVersion:    "gen_ai.guardrail.version",
	keyGuardrailVersionAWS: "aws.bedrock.guardrail.version",
	keyPolicyAction:        "gen_ai.policy.action",
	keyViolation:           "gen_ai.compliance.violation_detected",
	keyErrorType:           "error.type",
	keyErrorCode:           "gen_ai.response.error_code",
	keyOutcome:             "event.outcome",
	keyOutputMessages:      "gen_ai.output.messages",
	keyCompletion:          "gen_ai.completion",
	keyOutputTokens:        "gen_ai.usage.output_tokens",
	keyCompletionTokens:    "gen_ai.usage.completion_tokens",
	keySchemaType:          fieldSchema,
	keyModelID:             fieldModel,
}

// decisiveKeys are the keys that alone can decide the verdict on an attribute
// record, besides the guardrail keys of the settings.
var decisiveKeys = []key{
	keySchemaType, keyModelID, keyModelECS,
	keyFinishReasons, keyOutputMessages, keyGuardrailVersion, keyGuardrailVersionAWS,
}

// The lists that do not depend on the settings.
var (
	regionKeys           = listOf(keyRegion)
	modelKeys            = listOf(keyModel, keyModelECS)
	operationKeys        = listOf(keyMethod, keyActionECS, keyOperation)
	interventionKeys     = listOf(keyFinishReasons, keyOutputMessages)
	guardrailVersionKeys = listOf(keyGuardrailVersion, keyGuardrailVersionAWS)
	requestIDKeys        = listOf(keyRequestID, keyRequestIDDot)
	responseIDKeys       = listOf(keyResponseID)
	requestIDECSKey      = listOf(keyRequestIDECS)
	providerKeys         = listOf(keyProvider, keySystem)
	failureKeys          = listOf(keyErrorType, keyErrorCode)
	outcomeKeys          = listOf(keyOutcome)
	bedrockKeys          = listOf(keySchemaType, keyModelID)
)
