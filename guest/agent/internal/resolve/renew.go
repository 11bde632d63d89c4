package resolve

import (
	"maps"

	"twinhull.dev/guest/agent/internal/kube"
)

// digestAnnotation tells which manifest a static Pod is from.
const digestAnnotation = "twinhull.dev/manifest"

// Renew gives a static Pod what its manifest may change while it runs. Nothing else is resolved anew: a variable
// whose ConfigMap has changed would be another, and the container be restarted for it, which no Pod's is.
func Renew(static, pod kube.Object, digest string) {
	metadata, told := kube.Map(static, "metadata"), kube.Map(pod, "metadata")
	copyField(metadata, told, "labels")
	copyField(metadata, told, "annotations")
	generation, _ := kube.Integer(metadata, "generation")
	mark(metadata, digest, generation+1)
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

// mark makes it known which manifest a static Pod is from. The annotation says it of the Pod that the kubelet has,
// and makes it another for each manifest; the generation, of which the status says which was observed, says it of
// that status.
func mark(metadata kube.Object, digest string, generation int64) {
	annotations := maps.Clone(kube.Map(metadata, "annotations"))
	if annotations == nil {
		annotations = kube.Object{}
	}
	annotations[digestAnnotation] = digest
	metadata["annotations"], metadata["generation"] = annotations, generation
}

// Digest is that of the manifest which a static Pod is from.
func Digest(static kube.Object) string {
	return kube.Text(kube.Map(kube.Map(static, "metadata"), "annotations"), digestAnnotation)
}

func copyField(into, from kube.Object, key string) {
	if value, said := from[key]; said {
		into[key] = value
	} else {
		delete(into, key)
	}
}
