package manifest

import (
	"strings"
	"testing"
)

const running = `{"version": 1, "pod": {"metadata": {"name": "web-1abc", "labels": {"a": "b"}},
 "spec": {"initContainers": [{"name": "setup", "image": "one"}],
  "containers": [{"name": "web", "image": "one", "args": ["a", "b"], "resources": {"limits": {"cpu": "1", "memory": "64Mi", "ephemeral-storage": "8Mi"}}},
   {"name": "side", "image": "one"}]}}, "probe": {"port": 1, "token": "t"}}`

func read(t *testing.T, text string) Manifest {
	t.Helper()
	read, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestARunningPodCanChangeSomeFields(t *testing.T) {
	for _, change := range [][2]string{
		{`"labels": {"a": "b"}`, `"labels": {"c": "d"}`},
		{`"labels": {"a": "b"}`, `"annotations": {"c": "d"}`},
		{`"name": "web", "image": "one"`, `"name": "web", "image": "two"`},
		{`"cpu": "1", "memory": "64Mi"`, `"cpu": 2, "memory": "65Mi"`},
		{`"name": "side", "image": "one"`, `"name": "side", "image": "one", "resources": {"requests": {"cpu": "1"}, "limits": {}}`},
		{`"version": 1`, `"version":  1`},
	} {
		next := read(t, strings.Replace(running, change[0], change[1], 1))
		if found := Difference(read(t, running), next); found != "" {
			t.Errorf("%s: %s", change[1], found)
		}
		if next.Digest == read(t, running).Digest {
			t.Errorf("%s: the same digest", change[1])
		}
	}
}

func TestTheFirstFieldIsNamedThatOnlyAnotherMachineCanHave(t *testing.T) {
	for path, change := range map[string][2]string{
		"pod.spec.containers[0].args[1]":                            {`"a", "b"`, `"a", "c"`},
		"pod.spec.containers[0].args[2]":                            {`"a", "b"`, `"a", "b", "c"`},
		"pod.spec.containers[1].name":                               {`"side"`, `"other"`},
		"pod.spec.containers[1].resources":                          {`"name": "side"`, `"name": "side", "resources": {"claims": []}`},
		"pod.spec.containers[0].resources.limits.ephemeral-storage": {`"8Mi"`, `"9Mi"`},
		"pod.spec.initContainers[0].image":                          {`"setup", "image": "one"`, `"setup", "image": "two"`},
		"pod.spec.initContainers":                                   {`"initContainers"`, `"z"`},
		"pod.metadata.name":                                         {`web-1abc`, `web-2abc`},
		"pod.spec.containers[0].resources.limits.cpu":               {`"cpu": "1", `, ``},
		"probe.token": {`"t"`, `"u"`},
		"new":         {`"version"`, `"new": 1, "version"`},
	} {
		if found := Difference(read(t, running), read(t, strings.Replace(running, change[0], change[1], 1))); found != path {
			t.Errorf("want %s, got %q", path, found)
		}
	}
}

func TestTheDigestIsThatOfTheBytes(t *testing.T) {
	if got := read(t, running).Digest; len(got) != 64 || strings.ToLower(got) != got {
		t.Errorf("got %q", got)
	}
}
