package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
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

func TestAPodWhoseKubeletDoesntAnswerIsUnready(t *testing.T) {
	agent := runningAgent(t)
	client := &answers{pods: []kube.Object{kubetest.Object(t, `{"metadata": {"name": "web-1abc"}, "status": {"phase": "Running",
		"conditions": [{"type": "Ready", "status": "True"}]}}`)}}
	agent.kubelet.client = client
	agent.observe()
	client.err = errors.New("connection refused")
	agent.observe()
	if is, why := agent.state.ready(); !is {
		t.Errorf("unready at once: %s", why)
	}
	agent.state.pod.unheard = agent.state.pod.unheard.Add(-unheardLimit)
	agent.observe()
	if is, why := agent.state.ready(); is || why != unheardLine {
		t.Errorf("%v, %q", is, why)
	}
	if err := agent.silence(); err == nil || err.Error() != unheardLine+": connection refused" {
		t.Errorf("got %v", err)
	}
	client.err = nil
	agent.observe()
	if is, why := agent.state.ready(); !is || agent.silence() != nil {
		t.Errorf("it answers again: %s", why)
	}
}

func TestAKubeletThatTakesLongIsBelieved(t *testing.T) {
	for err, want := range map[error]bool{os.ErrDeadlineExceeded: true, &net.OpError{Op: "dial", Err: unix.ECONNREFUSED}: false} {
		agent := runningAgent(t)
		agent.state.setPod(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
			"containerStatuses": [{"name": "web", "ready": true}]}}`))
		agent.noteAnswer(fmt.Errorf("asking: %w", err), time.Now())
		agent.noteAnswer(nil, time.Now())
		unready := kubetest.Object(t, `{"status": {"phase": "Running", "containerStatuses": [{"name": "web", "state": {"running": {}}}]}}`)
		if got := agent.isBelieved(unready); got != want {
			t.Errorf("%v: got %v", err, got)
		}
	}
}

// answers is a kubelet that gives these answers.
type answers struct {
	pods []kube.Object
	err  error
}

func (a *answers) Pods() ([]kube.Object, error)    { return a.pods, a.err }
func (a *answers) Running() ([]kube.Object, error) { return nil, a.err }

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
