package manifest

import (
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

// Change is what a change of a field of the manifest's Pod does to the machine that runs by it.
type Change int

const (
	// Replaced is for a field that a running machine can't change: only another machine can. It is the zero value, so
	// that a field which nobody has thought of isn't changed in a running Pod.
	Replaced Change = iota
	// InPlace is for a field whose change starts the container anew that has it. The other containers run on.
	InPlace
	// Live is for a field whose change starts no container anew, unless the container's resizePolicy asks for that.
	Live
)

// String is the word that changes.json has for it.
func (c Change) String() string {
	switch c {
	case Replaced:
		return "replaced"
	case InPlace:
		return "in place"
	case Live:
		return "live"
	}
	return "unknown"
}

// changes are the fields that a running Pod can change, by their paths from the Pod on; `[]` stands for each element of a
// list. Every other field is Replaced. A field here speaks for all that is below it.
//
// An amount of CPU or memory can be set, raised and lowered, and neither be taken away nor make the Pod one of another
// QoS class (resize.go).
var changes = map[string]Change{
	"metadata.annotations":                        Live,
	"metadata.labels":                             Live,
	"spec.containers[].image":                     InPlace,
	"spec.containers[].resources.limits.cpu":      Live,
	"spec.containers[].resources.limits.memory":   Live,
	"spec.containers[].resources.requests.cpu":    Live,
	"spec.containers[].resources.requests.memory": Live,
}

// ChangeOf is what a change of a field does. `path` is the field's, written as the paths of `changes` are.
func ChangeOf(path string) Change {
	for at := path; at != ""; at = above(at) {
		if change, listed := changes[at]; listed {
			return change
		}
	}
	return Replaced
}

// above is the path of the field that a field is in, "" if that is the Pod.
func above(path string) string {
	at := strings.LastIndex(path, ".")
	return strings.TrimSuffix(path[:max(at, 0)], "[]")
}

// removeChangeable takes the fields out of a Pod that may change while it runs.
func removeChangeable(pod kube.Object) {
	for path := range changes {
		remove(pod, strings.Split(path, "."))
	}
}

// remove takes a field out of an object, and the objects on the way to it that are empty then: `limits: {}` says no more
// than an absent field.
func remove(object kube.Object, path []string) {
	key, isList := strings.CutSuffix(path[0], "[]")
	switch {
	case len(path) == 1:
		delete(object, key)
	case isList:
		for _, element := range kube.List(object, key) {
			remove(element, path[1:])
		}
	default:
		within := kube.Map(object, key)
		remove(within, path[1:])
		if len(within) == 0 {
			delete(object, key)
		}
	}
}
