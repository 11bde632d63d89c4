package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/rundir"
)

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

func TestAKubeletThatWasStartedAgainIsBelievedOnceItKnowsAsMuch(t *testing.T) {
	ready := kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "web"}]}}`)
	pending := kubetest.Object(t, `{"status": {"phase": "Pending"}}`)
	agent := runningAgent(t)
	if !agent.isBelieved(pending) {
		t.Error("the first word isn't believed")
	}
	agent.state.setPod(ready)
	agent.kubelet.silent = time.Now()
	if agent.isBelieved(pending) || !agent.isBelieved(ready) || !agent.isBelieved(pending) {
		t.Error("it is believed before it has caught up, or not once it has")
	}
	agent.kubelet.silent = time.Now().Add(-time.Hour)
	if !agent.isBelieved(pending) {
		t.Error("it isn't believed though it had its time")
	}
}
