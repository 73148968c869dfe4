// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"math/bits"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// key numbers an attribute that is looked up.
type key uint16

// The attributes that are looked up whatever the settings; those that the
// settings name come behind them.
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

// settlingKeys can settle the verdict of an attribute record, besides the guardrails
// that the settings name.
var settlingKeys = []key{
	keySchemaType, keyModelID, keyModelECS,
	keyFinishReasons, keyOutputMessages, keyGuardrailVersion, keyGuardrailVersionAWS,
}

// keyTable finds the number of a key without comparing it with all of them.
type keyTable struct {
	names   []string
	lengths uint64     // bit n is set: there is a name of n bytes, modulo 64
	slots   [256]uint8 // by hash, or behind it: the key's number and one, or 0
}

// maxTabled bounds how many keys a table holds, so that a set of them is one word.
// Settings that name more have the rest looked up one by one.
const maxTabled = 64

func newKeyTable() *keyTable {
	t := new(keyTable)
	for _, name := range keyNames {
		t.add(name)
	}
	return t
}

// add gives the number of a name, a new one if it has none yet.
func (t *keyTable) add(name string) key {
	if i := slices.Index(t.names, name); i >= 0 {
		return key(i)
	}
	t.names = append(t.names, name)
	k := key(len(t.names) - 1)
	t.enter(k)
	return k
}

func (t *keyTable) addAll(names []string) (keys []key) {
	for _, name := range names {
		keys = append(keys, t.add(name))
	}
	return keys
}

// only gives a table of some of the keys, with the same numbers.
func (t *keyTable) only(keys ...key) *keyTable {
	some := &keyTable{names: t.names, lengths: 1<<len(attrOperation) | 1<<len(attrResponseID)}
	for _, k := range keys {
		some.enter(k)
	}
	return some
}

func (t *keyTable) enter(k key) {
	if k >= maxTabled {
		return
	}
	slot := hashOf(t.names[k])
	for t.slots[slot] != 0 {
		slot++
	}
	t.slots[slot] = uint8(k + 1)
	t.lengths |= 1 << (len(t.names[k]) % 64)
}

// hashOf tells nearly all of the keys apart, by length and two bytes.
func hashOf(name string) uint8 {
	if name == "" {
		return 0
	}
	return uint8(7*len(name)) + 13*name[len(name)/2] + name[len(name)-1]
}

// find gives the number of a name that is in the table.
func (t *keyTable) find(name string) (k key, ok bool) {
	for slot := hashOf(name); ; slot++ {
		n := t.slots[slot]
		if n == 0 {
			return 0, false
		}
		if t.names[n-1] == name {
			return key(n - 1), true
		}
	}
}

// keySet is a set of the keys in a table, a bit for each.
type keySet uint64

func (s keySet) has(k key) bool { return s&(1<<k) != 0 }

// keyList is keys that tell the same, the best first.
type keyList struct {
	keys []key
	set  keySet // of those in the table, to pass over at once what has none of them

	beyond bool // there are others
}

func listOf(keys ...key) keyList {
	list := keyList{keys: keys}
	for _, k := range keys {
		if k < maxTabled {
			list.set |= 1 << k
		} else {
			list.beyond = true
		}
	}
	return list
}

// The lists that no setting changes.
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

// level holds the attributes of a record, its scope or its resource that are
// looked up, by key.
type level struct {
	attrs  pcommon.Map
	table  *keyTable // of the keys that were looked for; nil: none yet
	has    keySet
	values [maxTabled]pcommon.Value // of those that it has
	held   keySet                   // those that values still refers to some value of

	// Two that are looked at in every record, without the table: a tenth of a guarded one.
	operation, responseID string
}

// read takes in all attributes at once. Of two with one key, the first counts,
// as it does in [pcommon.Map.Get].
func (l *level) read(attrs pcommon.Map, table *keyTable) {
	l.attrs, l.table, l.has = attrs, table, 0
	l.operation, l.responseID = "", ""
	for name, value := range attrs.All() {
		if table.lengths&(1<<(len(name)%64)) == 0 {
			continue // passes over half of the names of others
		}
		switch name {
		case attrOperation:
			if l.operation == "" {
				l.operation = value.Str()
			}
		case attrResponseID:
			if l.responseID == "" {
				l.responseID = value.Str()
			}
		}
		if k, ok := table.find(name); ok && !l.has.has(k) {
			l.has |= 1 << k
			l.held |= 1 << k
			l.values[k] = value
		}
	}
}

// clear lets go of all attributes. It touches no more of the values than were used,
// since all of them take as long as reading a record.
func (l *level) clear() {
	for ; l.held != 0; l.held &= l.held - 1 {
		l.values[bits.TrailingZeros64(uint64(l.held))] = pcommon.Value{}
	}
	l.attrs, l.table, l.has = pcommon.Map{}, nil, 0
	l.operation, l.responseID = "", ""
}

func (l *level) get(k key) (pcommon.Value, bool) {
	if k >= maxTabled {
		return l.attrs.Get(l.table.names[k])
	}
	return l.values[k], l.has.has(k)
}

// levels are the attributes of a record, its scope and its resource, in the
// order in which they are looked up.
type levels [3]level

// operation returns the name of the operation that a record is about.
func (l *levels) operation() string {
	for i := range l {
		if l[i].operation != "" {
			return l[i].operation
		}
	}
	return ""
}

// text returns the first non-empty string under the key, the nearest level first.
func (l *levels) text(k key) string {
	for i := range l {
		if value, ok := l[i].get(k); ok {
			if s := stringOf(value); s != "" {
				return s
			}
		}
	}
	return ""
}

// lacks reports that there is none of the keys at any level.
func (l *levels) lacks(list *keyList) bool {
	return l.has()&list.set == 0 && !list.beyond
}

// has gives the keys that there are at some level.
func (l *levels) has() keySet { return l[0].has | l[1].has | l[2].has }

// first gives the first non-empty string under any of the keys, the nearest level first.
func (l *levels) first(list *keyList) string {
	if l.lacks(list) {
		return ""
	}
	for i := range l {
		for _, k := range list.keys {
			if value, ok := l[i].get(k); ok {
				if s := stringOf(value); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

// value gives the first value under the key that is not empty.
func (l *levels) value(k key) (pcommon.Value, bool) {
	if k < maxTabled && !l.has().has(k) {
		return pcommon.Value{}, false
	}
	for i := range l {
		if value, ok := l[i].get(k); ok && !isEmpty(value) {
			return value, true
		}
	}
	return pcommon.Value{}, false
}
