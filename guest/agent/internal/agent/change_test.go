package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

const told = `{"version": 1, "pod": {"metadata": {"name": "web-1abc", "labels": {"a": "b"}},
	"spec": {"containers": [{"name": "web", "image": "one", "args": ["x"]}, {"name": "side", "image": "one"}]}}}`

func running(t *testing.T) *Agent {
	t.Helper()
	read, err := manifest.Read([]byte(told))
	if err != nil {
		t.Fatal(err)
	}
	agent := &Agent{state: newState("1"), manifest: read}
	agent.state.manifest = read
	agent.state.orders = ordersIn(t)
	agent.state.diskLost = filepath.Join(t.TempDir(), "disk-lost")
	return agent
}

func TestAManifestIsRefusedWithAReason(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*state)
		data   string
		code   int
		why    string
	}{
		"the same":          {nil, told, 204, ""},
		"no JSON":           {nil, "{", 400, "is no JSON of its kind"},
		"a version":         {nil, strings.Replace(told, `"version": 1`, `"version": 2`, 1), 400, "is of version 2"},
		"no label":          {nil, strings.Replace(told, `"b"`, `"-"`, 1), 400, "labels"},
		"another machine's": {nil, strings.Replace(told, `["x"]`, `["y"]`, 1), 409, "pod.spec.containers[0].args[0] differs: the machine must be replaced"},
		"shutting down":     {func(s *state) { s.orders = ordersIn(t, "button") }, told, 503, "the machine is shutting down"},
		"asked to stop":     {func(s *state) { s.orders = ordersIn(t, "asked") }, told, 503, "the machine is shutting down"},
		"ended":             {func(s *state) { s.pod = kube.Object{"status": kube.Object{"phase": "Failed"}} }, told, 503, "the Pod has ended"},
		"final":             {func(s *state) { s.final = true }, told, 503, "the Pod has ended"},
		"too early":         {func(s *state) { s.manifest = manifest.Manifest{} }, told, 503, "the machine's own manifest isn't read yet"},
	} {
		agent := running(t)
		if c.before != nil {
			agent.state.set(c.before)
		}
		if code, why := agent.put([]byte(c.data)); code != c.code || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%s: %d %q", name, code, why)
		}
		if agent.state.changing {
			t.Errorf("%s: a change is being made", name)
		}
	}
}

func TestAMachineTakesNoFirstManifestButTheOneOfItsDisk(t *testing.T) {
	agent := running(t)
	agent.state.put = filepath.Join(t.TempDir(), "manifest.json")
	agent.state.set(func(s *state) { s.manifest, s.lacking = manifest.Manifest{}, true })
	agent.state.trust = manifest.Trust{Digest: manifest.Digest([]byte(told)), ClientCA: "pem"}
	for name, other := range map[string]string{
		"another Pod":   strings.Replace(told, "web-1abc", "web-2abc", 1),
		"another image": strings.Replace(told, `"one", "args"`, `"evil", "args"`, 1),
		"a space more":  told + " ",
	} {
		code, why := agent.put([]byte(other))
		if code != 409 || !strings.HasSuffix(why, "the machine must be started again") {
			t.Errorf("%s: %d %q", name, code, why)
		}
		if !agent.state.status().Lacking || agent.state.manifest.Pod != nil || rundir.Exists(agent.state.put) {
			t.Errorf("%s: it is taken", name)
		}
	}
	if !agent.state.outdated {
		t.Error("it waits for ever")
	}
	if code, why := agent.put([]byte(told)); code != 204 || agent.state.status().Lacking {
		t.Errorf("its own: %d %q", code, why)
	}
	if code, why := agent.put([]byte(strings.Replace(told, `"one", "args"`, `"two", "args"`, 1))); code != 204 {
		t.Errorf("a change of what it took: %d %q", code, why)
	}
}

func TestAMachineThatNobodyCanGiveItsManifestEndsAfterAWhile(t *testing.T) {
	type look struct {
		at       time.Duration
		helpless bool
		want     bool
	}
	for name, looks := range map[string][]look{
		"nobody may":                        {{0, true, false}, {hopeless - 1, true, false}, {hopeless, true, true}},
		"the operator may":                  {{0, false, false}, {time.Hour, false, false}},
		"the operator has another, by then": {{0, false, false}, {time.Hour, true, false}, {time.Hour + hopeless, true, true}},
	} {
		var since time.Time
		for _, l := range looks {
			if got := isHopeless(&since, l.helpless, time.Unix(1000, 0).Add(l.at)); got != l.want {
				t.Errorf("%s, after %s: %v", name, l.at, got)
			}
		}
	}
}

func TestAMachineWhoseDiskHasAnotherManifestTakesItsOwn(t *testing.T) {
	for name, before := range map[string]func(*state){
		"and no other":       func(*state) {},
		"shutting down":      func(s *state) { s.orders = ordersIn(t, "button") },
		"with a lost disk":   func(s *state) { s.diskLost = s.put },
		"that isn't refused": func(s *state) { s.lacking = false },
	} {
		agent := running(t)
		agent.manifest = manifest.Manifest{}
		agent.state.put = filepath.Join(t.TempDir(), "manifest.json")
		agent.state.set(func(s *state) { s.manifest, s.lacking = manifest.Manifest{}, true })
		if answer := agent.state.status(); !answer.Lacking || answer.Manifest != "" {
			t.Errorf("%s: %+v", name, answer)
		}
		if name == "with a lost disk" {
			if err := rundir.Write(agent.state.put, []byte("lost"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		agent.state.set(before)
		code, why := agent.put([]byte(told))
		if name != "and no other" {
			if code != 503 || agent.state.manifest.Pod != nil {
				t.Errorf("%s: %d %q", name, code, why)
			}
			continue
		}
		if code != 204 || agent.state.manifest.Digest != manifest.Digest([]byte(told)) || agent.state.status().Lacking {
			t.Errorf("%s: %d %q, %+v", name, code, why, agent.state.status())
		}
		if kept, err := os.ReadFile(agent.state.put); string(kept) != told {
			t.Errorf("%s: it keeps %q, %v", name, kept, err)
		}
		if code, why := agent.put([]byte(strings.Replace(told, `["x"]`, `["y"]`, 1))); code != 409 {
			t.Errorf("what it can't become: %d %q", code, why)
		}
	}
}

func TestWhatIsUnsoundIsNoFirstManifest(t *testing.T) {
	agent := running(t)
	agent.state.put = filepath.Join(t.TempDir(), "manifest.json")
	agent.state.set(func(s *state) { s.manifest, s.lacking = manifest.Manifest{}, true })
	for _, data := range []string{"{", strings.Replace(told, `"version": 1`, `"version": 2`, 1)} {
		if code, why := agent.put([]byte(data)); code != 400 || !agent.state.status().Lacking || rundir.Exists(agent.state.put) {
			t.Errorf("%d %q", code, why)
		}
	}
}

func TestOnlyAnotherImageMakesAnotherContainer(t *testing.T) {
	pod := kubetest.Object(t, told)["pod"].(kube.Object)
	for change, want := range map[string]bool{`"a": "b"`: false, `"name": "side", "image": "one"`: true} {
		other := kubetest.Object(t, strings.Replace(told, change, strings.NewReplacer("b", "c", "one", "two").Replace(change), 1))
		if got := remade(pod, other["pod"].(kube.Object)); got != want {
			t.Errorf("%s: got %v", change, got)
		}
	}
}

func TestAContainerIsOutdatedUntilTheKubeletKnowsTheOneOfTheNewImage(t *testing.T) {
	wanted := kubetest.Object(t, told)["pod"].(kube.Object)
	pod := kubetest.Object(t, `{"status": {"containerStatuses": [{"name": "web", "containerID": "containerd://1"}, {"name": "side"}]}}`)
	for name, c := range map[string]struct {
		made map[string]rundir.Container
		want string
	}{
		"none was made":                  {nil, ""},
		"it is the one":                  {map[string]rundir.Container{"web": {ID: "1", Image: "one"}}, ""},
		"it has the old image":           {map[string]rundir.Container{"web": {ID: "1", Image: "old"}}, "web"},
		"the kubelet doesn't know it":    {map[string]rundir.Container{"web": {ID: "2", Image: "one"}}, "web"},
		"the kubelet knows none of them": {map[string]rundir.Container{"side": {ID: "3", Image: "one"}}, "side"},
	} {
		if got := outdated(wanted, pod, func(name string) rundir.Container { return c.made[name] }); got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestAPodWhoseContainerIsToBeAnotherIsNotReady(t *testing.T) {
	s := newState("1")
	s.saw(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
	s.set(func(s *state) { s.changing = true })
	if is, why := s.ready(); is || why != "a change is being made" {
		t.Errorf("%v, %q", is, why)
	}
	s.set(func(s *state) { s.error = "trouble" })
	if is, why := s.ready(); is || why != "trouble" {
		t.Errorf("%v, %q", is, why)
	}
	s.saw(kubetest.Object(t, `{"status": {"phase": "Pending"}}`))
	s.set(func(s *state) { s.error = "" })
	if is, why := s.ready(); is || why != "the Pod is Pending" {
		t.Errorf("%v, %q", is, why)
	}
}

func TestAKubeletStartedAnewIsBelievedOnceItHasCaughtUp(t *testing.T) {
	ready := kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "web"}]}}`)
	pending := kubetest.Object(t, `{"status": {"phase": "Pending"}}`)
	agent := running(t)
	if !agent.believed(pending) {
		t.Error("the first word isn't believed")
	}
	agent.state.saw(ready)
	agent.silent = time.Now()
	if agent.believed(pending) || !agent.believed(ready) || !agent.believed(pending) {
		t.Error("it is believed before it has caught up, or not once it has")
	}
	agent.silent = time.Now().Add(-time.Hour)
	if !agent.believed(pending) {
		t.Error("it isn't believed though it had its time")
	}
}
