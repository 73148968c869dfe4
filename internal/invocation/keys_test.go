// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Settings may name more keys than the table holds; users and guardrails must not get
// lost silently.
func TestKeysBeyondTheTableAreFound(t *testing.T) {
	options := defaults()
	for i := range 100 {
		options.UserKeys = append(options.UserKeys, fmt.Sprint("user.", i))
		options.GuardrailKeys = append(options.GuardrailKeys, fmt.Sprint("guardrail.", i))
	}
	for _, where := range []string{"record", "scope", "resource"} {
		resource, scope, record := pcommon.NewResource(), pcommon.NewInstrumentationScope(), plog.NewLogRecord()
		record.SetEventName(choiceEvent)
		attrs := map[string]pcommon.Map{"record": record.Attributes(), "scope": scope.Attributes(), "resource": resource.Attributes()}[where]
		attrs.PutStr("user.99", "alice")
		attrs.PutStr("guardrail.99", "gr99")

		var inv Invocation
		require.True(t, readOne(NewReader(options), resource, scope, record, &inv), where)
		assert.Equal(t, "alice", inv.User, where)
		assert.Equal(t, []Guardrail{{ID: "gr99"}}, inv.Guardrails, where)
	}
}

func TestKeyTableFindsEveryKey(t *testing.T) {
	table := newKeyTable(inLogs)
	table.addAll(defaults().GuardrailKeys)
	table.addAll(append(defaults().UserKeys, "", attrAccount))
	for i, name := range table.names {
		k, ok := table.find(name)
		assert.True(t, ok, name)
		assert.Equal(t, key(i), k, name)
	}
	some := table.subset(keyRegion, keyModelID)
	_, ok := some.find(attrRegion)
	assert.True(t, ok)
	_, ok = some.find(attrAccount)
	assert.False(t, ok)
}

// The user and the guardrail of one scope must not be attributed to the next one.
func TestScopesDoNotMix(t *testing.T) {
	resource, first, second := pcommon.NewResource(), pcommon.NewInstrumentationScope(), pcommon.NewInstrumentationScope()
	first.Attributes().PutStr(AttrUser, "alice")
	first.Attributes().PutStr("gen_ai.guardrail_id", "gr1")
	record := plog.NewLogRecord()
	record.SetEventName(choiceEvent)

	var inv Invocation
	reader := NewReader(defaults())
	require.True(t, readOne(reader, resource, first, record, &inv))
	assert.Equal(t, Kind{Guarded, Claimed}, inv.Kind)
	assert.Equal(t, "alice", inv.User)
	require.True(t, readOne(reader, resource, second, record, &inv))
	assert.Equal(t, Kind{Unguarded, Presumed}, inv.Kind)
	assert.Empty(t, inv.User)
}

// Memory that is kept for the next batch must not keep the records of the last one alive.
func TestClearReleasesTheRecord(t *testing.T) {
	record := plog.NewLogRecord()
	record.SetEventName(choiceEvent)
	record.Attributes().PutStr(AttrUser, "alice")
	var inv Invocation
	require.True(t, readOne(NewReader(defaults()), pcommon.NewResource(), pcommon.NewInstrumentationScope(), record, &inv))
	inv.Clear()
	assert.Equal(t, levels{}, inv.levels)
	assert.Empty(t, inv.User)
}
