// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
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
	keyResponseID
	keyRequestIDECS
	keyMethod
	keyActionECS
	keyOperation
	keyProvider
	keySystem
	keyFinishReasons
	keyPolicyAction
	keyViolation
	keyErrorType
	keyErrorCode
	keyOutcome
	keyOutputMessages
	keyCompletion
	keyOutputTokens
	keyCompletionTokens
)

var keyNames = [...]string{
	keyAccount:          attrAccount,
	keyRegion:           attrRegion,
	keyModel:            attrModel,
	keyModelECS:         attrModelECS,
	keyRequestID:        attrRequestID,
	keyResponseID:       attrResponseID,
	keyRequestIDECS:     attrRequestIDECS,
	keyMethod:           attrMethod,
	keyActionECS:        attrActionECS,
	keyOperation:        attrOperation,
	keyProvider:         "gen_ai.provider.name",
	keySystem:           "gen_ai.system",
	keyFinishReasons:    "gen_ai.response.finish_reasons",
	keyPolicyAction:     "gen_ai.policy.action",
	keyViolation:        "gen_ai.compliance.violation_detected",
	keyErrorType:        "error.type",
	keyErrorCode:        "gen_ai.response.error_code",
	keyOutcome:          "event.outcome",
	keyOutputMessages:   "gen_ai.output.messages",
	keyCompletion:       "gen_ai.completion",
	keyOutputTokens:     "gen_ai.usage.output_tokens",
	keyCompletionTokens: "gen_ai.usage.completion_tokens",
}

// keyTable finds the number of a key without comparing it with all of them.
type keyTable struct {
	names []string
	slots [256]uint8 // by hash, or behind it: the key's number and one, or 0
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
	if len(t.names) <= maxTabled {
		slot := hashOf(name)
		for t.slots[slot] != 0 {
			slot++
		}
		t.slots[slot] = uint8(len(t.names))
	}
	return key(len(t.names) - 1)
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

func setOf(keys ...key) (set keySet) {
	for _, k := range keys {
		set |= 1 << k
	}
	return set
}

// level holds the attributes of a record, its scope or its resource that are
// looked up, by key.
type level struct {
	attrs  pcommon.Map
	table  *keyTable
	has    keySet
	values [maxTabled]pcommon.Value // of those that it has
}

// read takes in all attributes at once. Of two with one key, the first counts,
// as it does in [pcommon.Map.Get].
func (l *level) read(attrs pcommon.Map, table *keyTable) {
	l.attrs, l.table, l.has = attrs, table, 0
	for name, value := range attrs.All() {
		if k, ok := table.find(name); ok && !l.has.has(k) {
			l.has |= 1 << k
			l.values[k] = value
		}
	}
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

// first gives the first non-empty string under any of the keys, the nearest level first.
func (l *levels) first(keys ...key) string {
	for i := range l {
		for _, k := range keys {
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
	for i := range l {
		if value, ok := l[i].get(k); ok && !isEmpty(value) {
			return value, true
		}
	}
	return pcommon.Value{}, false
}

// any reports whether there is one of the keys at any level, perhaps empty.
func (l *levels) any(set keySet) bool {
	return (l[0].has|l[1].has|l[2].has)&set != 0
}
