package manifest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

// ownChanges are the fields that the guest changes live though the operator replaces the machine when the template's
// differ: the operator puts labels and annotations of its own on the Pod, such as the revision, which another image changes.
var ownChanges = map[string]bool{"metadata.annotations": true, "metadata.labels": true}

// operatorsChanges are what the operator takes a change of each field of a template for.
func operatorsChanges(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("changes.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Changes map[string]string `json:"changes"`
	}
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Changes) == 0 {
		t.Fatal("changes.json has no field")
	}
	return table.Changes
}

// manifestWith is a manifest whose Pod has a value in the field at a path, in the first element of each list.
func manifestWith(t *testing.T, path, number string) Manifest {
	t.Helper()
	var whole kube.Object
	const base = `{"version": 1, "pod": {"metadata": {"name": "web-1abc"}, "spec": {"containers": [{"name": "web", "image": "one"}]}}}`
	if err := kube.Decode([]byte(base), &whole); err != nil {
		t.Fatal(err)
	}
	// A field may be an object, and a removed name would hide that: all but amounts are objects here.
	var value any = kube.Object{"example": number}
	if strings.HasSuffix(path, ".cpu") || strings.HasSuffix(path, ".memory") {
		value = json.Number(number)
	}
	set(kube.Map(whole, "pod"), strings.Split(path, "."), value)
	return Manifest{Pod: kube.Map(whole, "pod"), whole: whole}
}

func set(object kube.Object, path []string, value any) {
	key, isList := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 && isList {
		object[key] = []any{value}
		return
	}
	if len(path) == 1 {
		object[key] = value
		return
	}
	if isList {
		if len(kube.List(object, key)) == 0 {
			object[key] = []any{kube.Object{}}
		}
		set(kube.List(object, key)[0], path[1:], value)
		return
	}
	if kube.Map(object, key) == nil {
		object[key] = kube.Object{}
	}
	set(kube.Map(object, key), path[1:], value)
}

func TestTheGuestChangesEachFieldAsTheOperatorExpects(t *testing.T) {
	for path, want := range operatorsChanges(t) {
		got := ChangeOf(path)
		if got.String() != want && !(want == Replaced.String() && ownChanges[path]) {
			t.Errorf("%s: the operator expects %q, the guest's is %q", path, want, got)
		}
		found := Difference(manifestWith(t, path, "1"), manifestWith(t, path, "2"))
		if isChanged := found == ""; isChanged != (got != Replaced) {
			t.Errorf("%s is %s, and Difference gives %q", path, got, found)
		}
	}
}

func TestTheOperatorKnowsEveryFieldThatTheGuestChanges(t *testing.T) {
	known := operatorsChanges(t)
	for path, change := range changes {
		if change == Replaced {
			t.Errorf("%s: every field that isn't listed is replaced", path)
		}
		if known[path] == "" {
			t.Errorf("%s isn't in changes.json", path)
		}
	}
}

func TestAFieldSpeaksForWhatIsBelowItAndForNothingElse(t *testing.T) {
	for path, want := range map[string]Change{
		"metadata.labels.app":                      Live,
		"metadata":                                 Replaced,
		"spec.containers[]":                        Replaced,
		"spec.containers[].image":                  InPlace,
		"spec.containers[].imagePullPolicy":        Replaced,
		"spec.initContainers[].image":              Replaced,
		"spec.containers[].resources.limits":       Replaced,
		"spec.resources.limits.cpu":                Replaced,
		"spec.containers[].resources.requests.cpu": Live,
		"": Replaced,
	} {
		if got := ChangeOf(path); got != want {
			t.Errorf("%s: got %s", path, got)
		}
	}
}
