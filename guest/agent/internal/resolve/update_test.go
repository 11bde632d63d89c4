package resolve

import (
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

func TestARunningPodIsGivenWhatItCanTakeAndNothingElse(t *testing.T) {
	in := input(t, `{"initContainers": [{"name": "first", "image": "i"}],
		"containers": [{"name": "web", "image": "i", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}]},
			{"name": "side", "image": "s", "resources": {"limits": {"cpu": "1"}}}]}`)
	in.UID, in.Digest = "uid", "one"
	static := resolved(t, in).Pod
	wants(t, "metadata", static["metadata"], `{"name": "web", "namespace": "shop", "uid": "uid", "generation": 1, "annotations": {"twinhull.dev/manifest": "one"}}`)

	pod := kube.Clone(in.Pod)
	metadata := kube.Map(pod, "metadata")
	metadata["labels"], metadata["annotations"] = kube.Object{"a": "b"}, kube.Object{"c": "d"}
	containers := kube.List(kube.Map(pod, "spec"), "containers")
	containers[0]["image"], containers[0]["resources"] = "j", kube.Object{"requests": kube.Object{"cpu": "1"}}
	delete(containers[1], "resources")
	in.Objects[kube.Ref{Kind: kube.ConfigMap, Name: "settings"}]["mode"] = []byte("slow")
	Update(static, pod, "two")
	wants(t, "metadata", static["metadata"], `{"name": "web", "namespace": "shop", "uid": "uid", "generation": 2, "labels": {"a": "b"},
		"annotations": {"c": "d", "twinhull.dev/manifest": "two"}}`)
	wants(t, "containers", kube.Map(static, "spec")["containers"],
		`[{"name": "web", "image": "j", "resources": {"requests": {"cpu": "1"}}, "env": [{"name": "A", "value": "fast"}]}, {"name": "side", "image": "s"}]`)
	wants(t, "initContainers", kube.Map(static, "spec")["initContainers"], `[{"name": "first", "image": "i"}]`)
	if Digest(static) != "two" || kube.Map(metadata, "annotations")["twinhull.dev/manifest"] != nil {
		t.Errorf("digest %q, and the manifest's Pod is %v", Digest(static), pod)
	}

	Update(static, in.Pod, "three")
	wants(t, "metadata", static["metadata"], `{"name": "web", "namespace": "shop", "uid": "uid", "generation": 3, "annotations": {"twinhull.dev/manifest": "three"}}`)
}
