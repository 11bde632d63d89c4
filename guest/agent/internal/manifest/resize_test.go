package manifest

import (
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

func podOf(t *testing.T, spec string) kube.Object {
	t.Helper()
	var pod kube.Object
	if err := kube.Decode([]byte(`{"spec": `+spec+`}`), &pod); err != nil {
		t.Fatalf("%v in %s", err, spec)
	}
	return pod
}

func TestQoSClass(t *testing.T) {
	for resources, want := range map[string]string{
		`{}`: "BestEffort", `{"limits": {"cpu": "0", "example.com/gpu": "1"}}`: "BestEffort",
		`{"limits": {"cpu": "1", "memory": "1Gi"}}`:                                                   "Guaranteed",
		`{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}`: "Guaranteed",
		`{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1"}}`:          "Burstable",
		`{"limits": {"cpu": "1"}}`: "Burstable", `{"requests": {"memory": 1}}`: "Burstable",
	} {
		for spec, want := range map[string]string{
			`{"containers": [{"resources": ` + resources + `}]}`:                                                                want,
			`{"resources": {"requests": {"cpu": "1"}}, "containers": [{"resources": ` + resources + `}]}`:                       "Burstable",
			`{"initContainers": [{"resources": {"requests": {"cpu": "1"}}}], "containers": [{"resources": ` + resources + `}]}`: "Burstable",
		} {
			if got := qosClass(podOf(t, spec)); got != want {
				t.Errorf("%s: got %s", spec, got)
			}
		}
	}
}

func TestAResizeThatNoRunningPodCanTake(t *testing.T) {
	const before = `{"containers": [{"name": "a"}, {"name": "b", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}`
	for after, want := range map[string]string{
		before: "",
		`{"containers": [{}, {"resources": {"limits": {"cpu": "2", "memory": "1"}}}]}`:                                                       "",
		`{"containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "2", "memory": "1"}}}]}`:                "",
		`{"containers": [{}, {"resources": {"limits": {"cpu": "2"}}}]}`:                                                                      "pod.spec.containers[1].resources.limits.memory",
		`{"containers": [{"resources": {"limits": {"cpu": "1", "memory": "1"}}}, {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}`: "pod.spec.containers[0].resources",
	} {
		if got := resize(podOf(t, before), podOf(t, after)); got != want {
			t.Errorf("%s: got %q", after, got)
		}
	}
}
