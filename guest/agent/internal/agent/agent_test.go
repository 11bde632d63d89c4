package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestTheMachineStaysForTheOperatorAndEndsAtOnceWithoutOne(t *testing.T) {
	type look struct {
		at          time.Duration
		phase       string
		settled     bool
		final, over bool
	}
	for name, c := range map[string]struct {
		api   bool
		looks []look
	}{
		"with an API": {true, []look{
			{0, "", false, false, false}, {1, "Succeeded", true, true, false}, {60, "Succeeded", true, true, false}, {61, "Succeeded", true, true, true}}},
		"without": {false, []look{{0, "", false, false, false}, {1, "Failed", true, true, true}}},
		"while containers are stopped": {false, []look{
			{0, "Failed", false, false, false}, {9, "Failed", false, false, false}, {12, "Failed", true, true, true}}},
		"though a container doesn't stop": {false, []look{{0, "Failed", false, false, false}, {39, "Failed", false, false, false}, {40, "Failed", false, true, true}}},
	} {
		var e ending
		for _, l := range c.looks {
			now := time.Unix(1000, 0).Add(l.at * time.Second)
			if final, over := e.next(l.phase, l.settled, 10*time.Second, c.api, now); final != l.final || over != l.over {
				t.Errorf("%s, after %d s: final %v, over %v", name, l.at, final, over)
			}
		}
	}
}

func TestAnInterruptedPodHasFailedUnlessItRunsForEver(t *testing.T) {
	for policy, want := range map[string]string{"": "Succeeded", "Always": "Succeeded", "OnFailure": "Failed", "Never": "Failed"} {
		spec := kube.Object{}
		if policy != "" {
			spec["restartPolicy"] = policy
		}
		if got := interrupted(kube.Object{"spec": spec}); got != want {
			t.Errorf("%q: got %s", policy, got)
		}
	}
}

func TestExitsNamesCodes(t *testing.T) {
	var pod kube.Object
	err := kube.Decode([]byte(`{"status": {"initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}],
		"containerStatuses": [{"name": "a", "state": {"waiting": {}}}, {"name": "b", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}`), &pod)
	if got := exits(pod); err != nil || got != ", i 0 (Completed), b 3 (Error)" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTheStatusCarriesTheMostPressingTrouble(t *testing.T) {
	s := newState("1")
	if is, why := s.ready(); is || why != "the Pod isn't there yet" {
		t.Errorf("%v, %q", is, why)
	}
	s.set(func(s *state) { s.waiting = "waiting for something" })
	if is, why := s.ready(); is || why != "waiting for something" || s.status().Error != "" {
		t.Errorf("%v, %q, %q", is, why, s.status().Error)
	}
	s.isStale(errors.New("old"))
	if s.status().Error != "old" {
		t.Errorf("%+v", s.status())
	}
	s.trouble(errors.New("one\ntwo"))
	if answer := s.status(); answer.Error != "one; two" || answer.Version != "1" || len(answer.Pod) != 0 {
		t.Errorf("%+v", answer)
	}
	s.trouble(nil)
	s.isStale(nil)
	s.saw(kube.Object{
		"metadata": kube.Object{"name": "web-1", "uid": "u", "annotations": kube.Object{"kubernetes.io/config.seen": "x"}},
		"spec":     kube.Object{},
		"status":   kube.Object{"phase": "Running", "conditions": []any{kube.Object{"type": "Ready", "status": "True"}}},
	})
	if is, _ := s.ready(); !is {
		t.Error("not ready")
	}
	answer := s.status()
	if answer.Error != "" || kube.Text(kube.Map(answer.Pod, "status"), "phase") != "Running" || kube.Map(answer.Pod, "metadata")["annotations"] != nil || answer.Pod["spec"] != nil {
		t.Errorf("%+v", answer)
	}
	if kube.Map(answer.Pod, "status")["podIP"] != nil {
		t.Errorf("an address that nobody told: %+v", answer)
	}
	s.set(func(s *state) { s.address = "10.244.0.9" })
	if status := kube.Map(s.status().Pod, "status"); kube.Text(status, "podIP") != "10.244.0.9" || kube.Text(status, "phase") != "Running" {
		t.Errorf("%+v", status)
	}
	if answer.Stop != "none" {
		t.Errorf("got %q", answer.Stop)
	}
	s.orders = ordersIn(t, "button")
	if is, why := s.ready(); is || why != "the machine is shutting down" {
		t.Errorf("%v, %q", is, why)
	}
}

func TestTheKubeletsRejectionIsTheLastOne(t *testing.T) {
	log := filepath.Join(t.TempDir(), "kubelet.log")
	text := "E1 file.go:1] \"Could not process manifest file\" err=\"first\" path=\"" + rundir.StaticPod + "\"\n" +
		"I1 other\nE1 file.go:1] \"Could not process manifest file\" err=\"invalid pod: [spec.containers[0]]\" path=\"" + rundir.StaticPod + "\"\nI1 err=\"else\"\n"
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := lastRejection(log), "\"invalid pod: [spec.containers[0]]\" path=\""+rundir.StaticPod+"\""; got != want {
		t.Errorf("got %s", got)
	}
}
