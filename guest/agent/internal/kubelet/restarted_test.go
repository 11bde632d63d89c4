package kubelet

import (
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
)

func TestAKubeletHasCaughtUpWhenItKnowsWhatTheOneBeforeDid(t *testing.T) {
	const ready = `{"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
		"containerStatuses": [{"name": "a", "containerID": "1", "ready": true, "state": {"running": {}}}]}`
	before := kube.Object{"status": kubetest.Object(t, ready)}
	for status, want := range map[string]bool{
		ready:                  true,
		`{"phase": "Pending"}`: false,
		`{"phase": "Running", "containerStatuses": [{"name": "a", "containerID": "1", "state": {"running": {}}}]}`:    false,
		`{"phase": "Running", "containerStatuses": [{"name": "a", "containerID": "2", "state": {"running": {}}}]}`:    true,
		`{"phase": "Running", "containerStatuses": [{"name": "a", "containerID": "1", "state": {"terminated": {}}}]}`: true,
		`{"phase": "Failed", "containerStatuses": [{"name": "b"}]}`:                                                   false,
	} {
		if got := CaughtUp(before, kube.Object{"status": kubetest.Object(t, status)}); got != want {
			t.Errorf("%s: got %v", status, got)
		}
	}
	for _, before := range []kube.Object{nil, {"status": kubetest.Object(t, `{"phase": "Running", "containerStatuses": [{"name": "a", "ready": true}]}`)}} {
		if !CaughtUp(before, kube.Object{}) {
			t.Errorf("%v was ready", before)
		}
	}
}

func TestProbingTakesAPeriodOfTheSlowest(t *testing.T) {
	for spec, want := range map[string]time.Duration{
		`{"containers": [{"name": "a"}]}`: 0,
		`{"containers": [{"name": "a", "readinessProbe": {}}, {"name": "b", "startupProbe": {}}]}`:                                                      11 * time.Second,
		`{"containers": [{"readinessProbe": {"periodSeconds": 20, "successThreshold": 2, "timeoutSeconds": 3}, "startupProbe": {"periodSeconds": 1}}]}`: 45 * time.Second,
	} {
		if got := Probing(kube.Object{"spec": kubetest.Object(t, spec)}); got != want+slack {
			t.Errorf("%s: got %s", spec, got)
		}
	}
}
