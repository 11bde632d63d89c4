package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"twinhull.dev/guest/agent/internal/kube"
)

// Difference is the first path at which a manifest differs from the one in force in a field that only another machine can
// have, "" if there is none.
func Difference(inForce, next Manifest) string {
	if path := difference("", fixed(inForce.whole), fixed(next.whole)); path != "" {
		return path
	}
	return resize(inForce.Pod, next.Pod)
}

// fixed is a manifest without the fields of its Pod that may change while that runs.
func fixed(whole kube.Object) kube.Object {
	rest := kube.Clone(whole)
	removeChangeable(kube.Map(rest, "pod"))
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
