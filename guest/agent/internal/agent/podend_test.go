package agent

import (
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
)

func TestTheMachineStaysForTheOperatorAndEndsAtOnceWithoutOne(t *testing.T) {
	type look struct {
		at          time.Duration
		phase       string
		settled     bool
		final, over bool
	}
	for name, c := range map[string]struct {
		api   bool
		looks []look
	}{
		"with an API": {true, []look{
			{0, "", false, false, false}, {1, "Succeeded", true, true, false}, {60, "Succeeded", true, true, false}, {61, "Succeeded", true, true, true}}},
		"without": {false, []look{{0, "", false, false, false}, {1, "Failed", true, true, true}}},
		"while containers are stopped": {false, []look{
			{0, "Failed", false, false, false}, {9, "Failed", false, false, false}, {12, "Failed", true, true, true}}},
		"though a container doesn't stop": {false, []look{{0, "Failed", false, false, false}, {39, "Failed", false, false, false}, {40, "Failed", false, true, true}}},
	} {
		var e ending
		for _, l := range c.looks {
			now := time.Unix(1000, 0).Add(l.at * time.Second)
			final := e.isComplete(l.phase, l.settled, 10*time.Second, now)
			if over := final && e.isOver(c.api, now); final != l.final || over != l.over {
				t.Errorf("%s, after %d s: final %v, over %v", name, l.at, final, over)
			}
		}
	}
}

func TestAnInterruptedPodHasFailedUnlessItRunsForEver(t *testing.T) {
	for policy, want := range map[string]string{"": "Succeeded", "Always": "Succeeded", "OnFailure": "Failed", "Never": "Failed"} {
		spec := kube.Object{}
		if policy != "" {
			spec["restartPolicy"] = policy
		}
		if got := outcomeIfInterrupted(kube.Object{"spec": spec}); got != want {
			t.Errorf("%q: got %s", policy, got)
		}
	}
}

func TestTheExitCodesOfEndedContainersAreListed(t *testing.T) {
	var pod kube.Object
	err := kube.Decode([]byte(`{"status": {"initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}],
		"containerStatuses": [{"name": "a", "state": {"waiting": {}}}, {"name": "b", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}`), &pod)
	if got := exitCodes(pod); err != nil || got != ", i 0 (Completed), b 3 (Error)" {
		t.Errorf("got %q, %v", got, err)
	}
}
