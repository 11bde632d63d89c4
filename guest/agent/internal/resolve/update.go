package resolve

import (
	"maps"

	"twinhull.dev/guest/agent/internal/kube"
)

// digestAnnotation tells which manifest a static Pod is from.
const digestAnnotation = "twinhull.dev/manifest"

// Update gives a static Pod the fields of its manifest that may change while it runs (manifest/changes.go). Nothing else is
// resolved again: a variable whose ConfigMap has changed would restart the container, and a Pod's container isn't restarted
// for that.
func Update(static, pod kube.Object, digest string) {
	metadata, wanted := kube.Map(static, "metadata"), kube.Map(pod, "metadata")
	copyField(metadata, wanted, "labels")
	copyField(metadata, wanted, "annotations")
	generation, _ := kube.Integer(metadata, "generation")
	noteManifest(metadata, digest, generation+1)
	containers := map[string]kube.Object{}
	for _, container := range kube.List(kube.Map(pod, "spec"), "containers") {
		containers[kube.Text(container, "name")] = container
	}
	for _, container := range kube.List(kube.Map(static, "spec"), "containers") {
		wanted := containers[kube.Text(container, "name")]
		copyField(container, wanted, "image")
		copyField(container, wanted, "resources")
	}
}

// noteManifest notes in a static Pod which manifest it is from. By the annotation the Pod that the kubelet has shows its
// manifest, and differs for each manifest. By the generation the Pod's status shows of which Pod it is (observedGeneration).
func noteManifest(metadata kube.Object, digest string, generation int64) {
	annotations := maps.Clone(kube.Map(metadata, "annotations"))
	if annotations == nil {
		annotations = kube.Object{}
	}
	annotations[digestAnnotation] = digest
	metadata["annotations"], metadata["generation"] = annotations, generation
}

// Digest is the digest of the manifest that a static Pod is from.
func Digest(static kube.Object) string {
	return kube.Text(kube.Map(kube.Map(static, "metadata"), "annotations"), digestAnnotation)
}

func copyField(into, from kube.Object, key string) {
	if value, isSet := from[key]; isSet {
		into[key] = value
	} else {
		delete(into, key)
	}
}
