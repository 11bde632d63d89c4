package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"twinhull.dev/guest/agent/internal/kube"
)

// Difference is the first path at which a manifest differs from the one in force in what only a new machine can
// take, "" if there is none.
func Difference(inForce, next Manifest) string {
	if path := difference("", fixed(inForce.whole), fixed(next.whole)); path != "" {
		return path
	}
	return resize(inForce.Pod, next.Pod)
}

// fixed is a manifest less what of it may change while its Pod runs.
func fixed(whole kube.Object) kube.Object {
	rest := kube.Clone(whole)
	pod := kube.Map(rest, "pod")
	metadata := kube.Map(pod, "metadata")
	delete(metadata, "labels")
	delete(metadata, "annotations")
	for _, container := range kube.List(kube.Map(pod, "spec"), "containers") {
		delete(container, "image")
		resources := kube.Map(container, "resources")
		for _, kind := range []string{"requests", "limits"} {
			amounts := kube.Map(resources, kind)
			delete(amounts, "cpu")
			delete(amounts, "memory")
			if len(amounts) == 0 {
				delete(resources, kind)
			}
		}
		if len(resources) == 0 {
			delete(container, "resources")
		}
	}
	return rest
}

func difference(path string, one, other any) string {
	switch one := one.(type) {
	case kube.Object:
		if other, same := other.(kube.Object); same {
			return inObject(path, one, other)
		}
	case []any:
		if other, same := other.([]any); same {
			return inList(path, one, other)
		}
	}
	if reflect.DeepEqual(one, other) {
		return ""
	}
	return path
}

func inObject(path string, one, other kube.Object) string {
	both := maps.Clone(one)
	maps.Copy(both, other)
	for _, key := range slices.Sorted(maps.Keys(both)) {
		at := key
		if path != "" {
			at = path + "." + key
		}
		if found := difference(at, one[key], other[key]); found != "" {
			return found
		}
	}
	return ""
}

func inList(path string, one, other []any) string {
	for index := range max(len(one), len(other)) {
		at := fmt.Sprintf("%s[%d]", path, index)
		if index >= len(one) || index >= len(other) {
			return at
		}
		if found := difference(at, one[index], other[index]); found != "" {
			return found
		}
	}
	return ""
}
