// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import "testing"

// sharedTests are the tests of what does not depend on whether records are forwarded.
var sharedTests = map[string]func(*testing.T){
	"TestCrashAtEveryMoment":                               TestCrashAtEveryMoment,
	"TestCrashTwice":                                       TestCrashTwice,
	"TestBurstAcrossARestartAlerts":                        TestBurstAcrossARestartAlerts,
	"TestLimitHoldsOverARestart":                           TestLimitHoldsOverARestart,
	"TestAnotherCallsCommitTearsNoAlertFromItsInvocations": TestAnotherCallsCommitTearsNoAlertFromItsInvocations,
	"TestManyCallsAtOnceAreKept":                           TestManyCallsAtOnceAreKept,
	"TestManyCallsAtOnceWhileThingsFail":                   TestManyCallsAtOnceWhileThingsFail,
	"TestSenderThatGoesDuringTheCommit":                    TestSenderThatGoesDuringTheCommit,
	"TestStateKeepsHostileUsersSeparate":                   TestStateKeepsHostileUsersSeparate,
	"TestStateHoldsNoText":                                 TestStateHoldsNoText,
	"TestRestartKnowsRepeatsOfEveryKind":                   TestRestartKnowsRepeatsOfEveryKind,
	"TestFloodEvictsNobodyThroughTheState":                 TestFloodEvictsNobodyThroughTheState,
	"TestFaultRefusedAlerts":                               TestFaultRefusedAlerts,
	"TestRuleChangedBetweenStarts":                         TestRuleChangedBetweenStarts,
	"TestRuleGoneBetweenStarts":                            TestRuleGoneBetweenStarts,
	"TestFaultClockStep":                                   TestFaultClockStep,
	"TestFaultClockStepOverARestart":                       TestFaultClockStepOverARestart,
	"TestFaultShutdownWhileTheStateIsRead":                 TestFaultShutdownWhileTheStateIsRead,
	"TestFaultShutdownDuringARetry":                        TestFaultShutdownDuringARetry,
	"TestShutdownWaitsForAnAlertUnderWay":                  TestShutdownWaitsForAnAlertUnderWay,
	"TestShutdownWithoutTimeWaitsForAnAlertUnderWay":       TestShutdownWithoutTimeWaitsForAnAlertUnderWay,
	"TestFaultShutdownWithAHangingStorage":                 TestFaultShutdownWithAHangingStorage,
	"TestFaultShutdownDuringACommit":                       TestFaultShutdownDuringACommit,
	"TestFaultShutdownWithoutStart":                        TestFaultShutdownWithoutStart,
	"TestShutdownIsACheckpoint":                            TestShutdownIsACheckpoint,
	"TestShutdownKeepsWhatTheLimitHeldBack":                TestShutdownKeepsWhatTheLimitHeldBack,
	"TestFaultShutdownWhileTheStorageHangsAtTheStart":      TestFaultShutdownWhileTheStorageHangsAtTheStart,
	"TestCrashLoopClosesAlerts":                            TestCrashLoopClosesAlerts,
	"TestFaultUnreadableState":                             TestFaultUnreadableState,
	"TestFaultNoStorage":                                   TestFaultNoStorage,
	"TestFaultHangingStorageAtStart":                       TestFaultHangingStorageAtStart,
	"TestReplayDurationIsMeasured":                         TestReplayDurationIsMeasured,
	"TestFaultSlowStorage":                                 TestFaultSlowStorage,
	"TestFaultHangingStorage":                              TestFaultHangingStorage,
	"TestFaultFailingStorage":                              TestFaultFailingStorage,
	"TestFaultyStorageIsLoggedSparsely":                    TestFaultyStorageIsLoggedSparsely,
	"TestFaultUnreadableStorageAtStart":                    TestFaultUnreadableStorageAtStart,
	"TestFaultUnwritableStorageAtStart":                    TestFaultUnwritableStorageAtStart,
	"TestFaultStorageIsWaitedForOnce":                      TestFaultStorageIsWaitedForOnce,
	"TestFaultStorageThatDoesNotReturnAlerts":              TestFaultStorageThatDoesNotReturnAlerts,
	"TestFaultStorageThatFailsWhileTheStateIsRead":         TestFaultStorageThatFailsWhileTheStateIsRead,
	"TestAlertIsClosedByTheClock":                          TestAlertIsClosedByTheClock,
	"TestShutdownClosesNoAlert":                            TestShutdownClosesNoAlert,
	"TestRefusedClosingIsDeliveredAgain":                   TestRefusedClosingIsDeliveredAgain,
	"TestLimitIsMeasured":                                  TestLimitIsMeasured,
	"TestMemoryIsMeasuredAndBounded":                       TestMemoryIsMeasuredAndBounded,
	"TestRulesThatShareTheLeastMemoryStillDetect":          TestRulesThatShareTheLeastMemoryStillDetect,
	"TestRefusedAlertIsDeliveredAgain":                     TestRefusedAlertIsDeliveredAgain,
	"TestPendingAlertsDoNotDelayOthers":                    TestPendingAlertsDoNotDelayOthers,
	"TestOutboxOutlivesSeveralOutages":                     TestOutboxOutlivesSeveralOutages,
	"TestPermanentlyRefusedAlertIsInTheLog":                TestPermanentlyRefusedAlertIsInTheLog,
	"TestPoisonAlertTakesNoOtherWithIt":                    TestPoisonAlertTakesNoOtherWithIt,
	"TestPendingAlertsAreBounded":                          TestPendingAlertsAreBounded,
	"TestOldestAlertsAreDroppedFirstEvenDuringARetry":      TestOldestAlertsAreDroppedFirstEvenDuringARetry,
	"TestShutdownDeliversPendingAlerts":                    TestShutdownDeliversPendingAlerts,
	"TestShutdownLogsUndeliveredAlerts":                    TestShutdownLogsUndeliveredAlerts,
	"TestShutdownDropsPoisonAlone":                         TestShutdownDropsPoisonAlone,
	"TestShutdownEndsWithItsContext":                       TestShutdownEndsWithItsContext,
	"TestShutdownCancelsADeliveryThatHangs":                TestShutdownCancelsADeliveryThatHangs,
	"TestShutdownWithoutStartOrAnythingElse":               TestShutdownWithoutStartOrAnythingElse,
	"TestShutdownEndsNoWindow":                             TestShutdownEndsNoWindow,
	"TestShutdownEmitsSuppressedAlerts":                    TestShutdownEmitsSuppressedAlerts,
	"TestShutdownLogsSuppressedAlertsThatAreRefused":       TestShutdownLogsSuppressedAlertsThatAreRefused,
	"TestQuietGroupsAreForgotten":                          TestQuietGroupsAreForgotten,
	"TestTicksAndDeliveriesShareAlerts":                    TestTicksAndDeliveriesShareAlerts,
	"TestHangingAlertHoldsUpNoOtherRecords":                TestHangingAlertHoldsUpNoOtherRecords,
	"TestHangingTickHoldsUpNoRecordsAndNoAlerts":           TestHangingTickHoldsUpNoRecordsAndNoAlerts,
	"TestClosedIsNotDeliveredBeforeOpen":                   TestClosedIsNotDeliveredBeforeOpen,
	"TestHangingTickDoesNotStopTheClock":                   TestHangingTickDoesNotStopTheClock,
	"TestTimersStopAtShutdown":                             TestTimersStopAtShutdown,
	"TestAlertsNameTheCollectorThatRaisedThem":             TestAlertsNameTheCollectorThatRaisedThem,
	"TestExemptionsEndWhenTheySay":                         TestExemptionsEndWhenTheySay,
	"TestMaxAgeLeavesOldInvocationsOut":                    TestMaxAgeLeavesOldInvocationsOut,
	"TestGroupsByAnyAttribute":                             TestGroupsByAnyAttribute,
	"TestGroupsByPrincipalAcrossSessions":                  TestGroupsByPrincipalAcrossSessions,
	"TestInvocationsWithoutAGroupAreExcluded":              TestInvocationsWithoutAGroupAreExcluded,
	"TestExcludedInvocationsAreCountedByReason":            TestExcludedInvocationsAreCountedByReason,
	"TestAlertsAreCountedByRule":                           TestAlertsAreCountedByRule,
	"TestArrivalDelayIsMeasured":                           TestArrivalDelayIsMeasured,
	"TestOtherRecordsLeaveNoTrace":                         TestOtherRecordsLeaveNoTrace,
	"TestConcurrentShutdown":                               TestConcurrentShutdown,
}

// sharedLogTests are those that depend on what is in log records.
var sharedLogTests = map[string]func(*testing.T){
	"TestRulesCountOnTheirOwn":                      TestRulesCountOnTheirOwn,
	"TestAlertsRaiseNoAlerts":                       TestAlertsRaiseNoAlerts,
	"TestInvocationsAreCountedByVerdictAndEvidence": TestInvocationsAreCountedByVerdictAndEvidence,
	"TestBuiltInRuleDetectsWhatItPromises":          TestBuiltInRuleDetectsWhatItPromises,
	"TestInvocationsAreDatedByWhatTheRecordHas":     TestInvocationsAreDatedByWhatTheRecordHas,
	"TestFaultRefusalInFront":                       TestFaultRefusalInFront,
}

// The connector for log records detects, keeps its state and delivers as the processor does.
func TestThroughTheLogsConnector(t *testing.T) {
	for name, test := range sharedTests {
		t.Run(name, test)
	}
	for name, test := range sharedLogTests {
		t.Run(name, test)
	}
}

// The connector for spans keeps its state and delivers as the processor does, and detects in spans what that detects
// in log records which say the same.
func TestThroughTheTracesConnector(t *testing.T) {
	for name, test := range sharedTests {
		t.Run(name, test)
	}
}
