package agent

import (
	"strings"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestAManifestIsRefusedWithAReason(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*Agent)
		data   string
		code   int
		why    string
	}{
		"the same":          {nil, manifestText, 204, ""},
		"no JSON":           {nil, "{", 400, "is no JSON of its kind"},
		"a version":         {nil, strings.Replace(manifestText, `"version": 1`, `"version": 2`, 1), 400, "is of version 2"},
		"no label":          {nil, strings.Replace(manifestText, `"b"`, `"-"`, 1), 400, "labels"},
		"another machine's": {nil, strings.Replace(manifestText, `["x"]`, `["y"]`, 1), 409, "pod.spec.containers[0].args[0] differs: the machine must be replaced"},
		"shutting down":     {func(a *Agent) { mark(t, a.files, rundir.PowerOff) }, manifestText, 503, "the machine is shutting down"},
		"asked to stop":     {func(a *Agent) { mark(t, a.files, rundir.StopAsked) }, manifestText, 503, "the machine is shutting down"},
		"ended":             {func(a *Agent) { a.state.pod.seen = kube.Object{"status": kube.Object{"phase": "Failed"}} }, manifestText, 503, "the Pod has ended"},
		"final":             {func(a *Agent) { a.state.pod.final = true }, manifestText, 503, "the Pod has ended"},
		"too early":         {func(a *Agent) { a.state.manifest.inForce = manifest.Manifest{} }, manifestText, 503, "the machine's own manifest isn't read yet"},
	} {
		agent := runningAgent(t)
		if c.before != nil {
			c.before(agent)
		}
		if code, why := agent.putManifest([]byte(c.data)); code != c.code || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%s: %d %q", name, code, why)
		}
		if agent.state.manifest.changing {
			t.Errorf("%s: a change is being made", name)
		}
	}
}

func TestTheFirstManifestIsTheOneThatTheDiskNames(t *testing.T) {
	agent := waitingAgent(t)
	agent.state.refusal.trust = manifest.Trust{Digest: manifest.Digest([]byte(manifestText)), ClientCA: "pem"}
	for name, other := range map[string]string{
		"another Pod":   strings.Replace(manifestText, "web-1abc", "web-2abc", 1),
		"another image": strings.Replace(manifestText, `"one", "args"`, `"evil", "args"`, 1),
		"a space more":  manifestText + " ",
	} {
		code, why := agent.putManifest([]byte(other))
		if code != 409 || !strings.HasSuffix(why, "the machine must be started again") {
			t.Errorf("%s: %d %q", name, code, why)
		}
		if !agent.state.status().Lacking || agent.state.manifest.inForce.Pod != nil || agent.files.Exists(rundir.PutManifest) {
			t.Errorf("%s: it is taken", name)
		}
	}
	if !agent.state.refusal.outdated {
		t.Error("it waits for ever")
	}
	if code, why := agent.putManifest([]byte(manifestText)); code != 204 || agent.state.status().Lacking {
		t.Errorf("its own: %d %q", code, why)
	}
	if code, why := agent.putManifest([]byte(strings.Replace(manifestText, `"one", "args"`, `"two", "args"`, 1))); code != 204 {
		t.Errorf("a change of what it took: %d %q", code, why)
	}
}

func TestAMachineEndsIfNobodyCanPutItsManifest(t *testing.T) {
	type look struct {
		at       time.Duration
		helpless bool
		want     bool
	}
	for name, looks := range map[string][]look{
		"nobody may":                        {{0, true, false}, {unhelpedLimit - 1, true, false}, {unhelpedLimit, true, true}},
		"the operator may":                  {{0, false, false}, {time.Hour, false, false}},
		"the operator has another, by then": {{0, false, false}, {time.Hour, true, false}, {time.Hour + unhelpedLimit, true, true}},
	} {
		var since time.Time
		for _, l := range looks {
			if got := isUnhelped(&since, l.helpless, time.Unix(1000, 0).Add(l.at)); got != l.want {
				t.Errorf("%s, after %s: %v", name, l.at, got)
			}
		}
	}
}

func TestAMachineWhoseDiskHasAnotherManifestCanBeGivenItsOwn(t *testing.T) {
	for name, before := range map[string]func(*Agent){
		"and no other":       func(*Agent) {},
		"shutting down":      func(a *Agent) { mark(t, a.files, rundir.PowerOff) },
		"with a lost disk":   func(a *Agent) { mark(t, a.files, rundir.DiskLost) },
		"that isn't refused": func(a *Agent) { a.state.refusal.waiting = false },
	} {
		agent := waitingAgent(t)
		if answer := agent.state.status(); !answer.Lacking || answer.Manifest != "" {
			t.Errorf("%s: %+v", name, answer)
		}
		before(agent)
		code, why := agent.putManifest([]byte(manifestText))
		if name != "and no other" {
			if code != 503 || agent.state.manifest.inForce.Pod != nil {
				t.Errorf("%s: %d %q", name, code, why)
			}
			continue
		}
		if code != 204 || agent.state.manifest.inForce.Digest != manifest.Digest([]byte(manifestText)) || agent.state.status().Lacking {
			t.Errorf("%s: %d %q, %+v", name, code, why, agent.state.status())
		}
		if kept, err := agent.files.Read(rundir.PutManifest); string(kept) != manifestText {
			t.Errorf("%s: it keeps %q, %v", name, kept, err)
		}
		if code, why := agent.putManifest([]byte(strings.Replace(manifestText, `["x"]`, `["y"]`, 1))); code != 409 {
			t.Errorf("what it can't become: %d %q", code, why)
		}
	}
}

func TestWhatIsUnsoundIsNoFirstManifest(t *testing.T) {
	agent := waitingAgent(t)
	for _, data := range []string{"{", strings.Replace(manifestText, `"version": 1`, `"version": 2`, 1)} {
		if code, why := agent.putManifest([]byte(data)); code != 400 || !agent.state.status().Lacking || agent.files.Exists(rundir.PutManifest) {
			t.Errorf("%d %q", code, why)
		}
	}
}

func TestOnlyAnotherImageMakesAnotherContainer(t *testing.T) {
	pod := kubetest.Object(t, manifestText)["pod"].(kube.Object)
	for change, want := range map[string]bool{`"a": "b"`: false, `"name": "side", "image": "one"`: true} {
		other := kubetest.Object(t, strings.Replace(manifestText, change, strings.NewReplacer("b", "c", "one", "two").Replace(change), 1))
		if got := changesAnImage(pod, other["pod"].(kube.Object)); got != want {
			t.Errorf("%s: got %v", change, got)
		}
	}
}

func TestAContainerIsOutdatedUntilTheKubeletKnowsTheOneOfTheNewImage(t *testing.T) {
	wanted := kubetest.Object(t, manifestText)["pod"].(kube.Object)
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
		if got := formerContainer(wanted, pod, func(name string) rundir.Container { return c.made[name] }); got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestAPodWhoseContainerIsToBeAnotherIsNotReady(t *testing.T) {
	s := testState(t)
	s.setPod(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
	s.set(func(s *state) { s.manifest.changing = true })
	if is, why := s.ready(); is || why != "a change is being made" {
		t.Errorf("%v, %q", is, why)
	}
	s.set(func(s *state) { s.trouble.error = "trouble" })
	if is, why := s.ready(); is || why != "trouble" {
		t.Errorf("%v, %q", is, why)
	}
	s.setPod(kubetest.Object(t, `{"status": {"phase": "Pending"}}`))
	s.set(func(s *state) { s.trouble.error = "" })
	if is, why := s.ready(); is || why != "the Pod is Pending" {
		t.Errorf("%v, %q", is, why)
	}
}
