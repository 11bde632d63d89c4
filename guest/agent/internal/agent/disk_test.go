package agent

import (
	"errors"
	"testing"

	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestAMachineThatLostWritesIsUnreadyAndSaysWhy(t *testing.T) {
	agent := running(t)
	agent.state.saw(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
	if is, _ := agent.state.ready(); !is {
		t.Fatal("not ready")
	}
	const line = "writes were lost"
	if err := rundir.Write(agent.state.diskLost, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	agent.state.trouble(errors.New("something else"))
	if is, why := agent.state.ready(); is || why != line {
		t.Errorf("%v, %q", is, why)
	}
	if answer := agent.state.status(); answer.Error != line || answer.Final {
		t.Errorf("%+v", answer)
	}
	agent.step() // which would ask the kubelet that isn't there
	if code, why := agent.put([]byte(told)); code != 503 || why != line {
		t.Errorf("%d %q", code, why)
	}
}
