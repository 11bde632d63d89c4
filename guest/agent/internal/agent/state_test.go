package agent

import (
	"errors"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestTheStatusCarriesTheMostPressingTrouble(t *testing.T) {
	s := testState(t)
	if is, why := s.ready(); is || why != "the Pod isn't there yet" {
		t.Errorf("%v, %q", is, why)
	}
	s.set(func(s *state) { s.trouble.waiting = "waiting for something" })
	if is, why := s.ready(); is || why != "waiting for something" || s.status().Error != "" {
		t.Errorf("%v, %q, %q", is, why, s.status().Error)
	}
	s.setStale(errors.New("old"))
	if s.status().Error != "old" {
		t.Errorf("%+v", s.status())
	}
	s.setTrouble(errors.New("one\ntwo"))
	if answer := s.status(); answer.Error != "one; two" || answer.Version != "1" || len(answer.Pod) != 0 {
		t.Errorf("%+v", answer)
	}
	s.setTrouble(nil)
	s.setStale(nil)
	s.setPod(kube.Object{
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
	s.set(func(s *state) { s.pod.address = "10.244.0.9" })
	if status := kube.Map(s.status().Pod, "status"); kube.Text(status, "podIP") != "10.244.0.9" || kube.Text(status, "phase") != "Running" {
		t.Errorf("%+v", status)
	}
	if answer.Stop != "none" {
		t.Errorf("got %q", answer.Stop)
	}
	mark(t, s.files, rundir.PowerOff)
	if is, why := s.ready(); is || why != "the machine is shutting down" {
		t.Errorf("%v, %q", is, why)
	}
}
