package agent

import (
	"errors"
	"testing"

	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestAMachineThatLostWritesIsUnreadyAndSaysWhy(t *testing.T) {
	agent := runningAgent(t)
	agent.state.setPod(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
	if is, _ := agent.state.ready(); !is {
		t.Fatal("not ready")
	}
	const line = "writes were lost"
	if err := agent.files.Write(rundir.DiskLost, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	agent.state.setTrouble(errors.New("something else"))
	if is, why := agent.state.ready(); is || why != line {
		t.Errorf("%v, %q", is, why)
	}
	if answer := agent.state.status(); answer.Error != line || answer.Final {
		t.Errorf("%+v", answer)
	}
	agent.round() // which would ask the kubelet that isn't there
	if code, why := agent.putManifest([]byte(manifestText)); code != 503 || why != line {
		t.Errorf("%d %q", code, why)
	}
}
