package agent

import (
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

// writingAgent is one whose Pod has succeeded, and whose claim's disk is written until `release` is called.
func writingAgent(t *testing.T) (agent *Agent, release func()) {
	t.Helper()
	agent = runningAgent(t)
	mark(t, agent.files, rundir.StaticPod)
	agent.state.setPod(kubetest.Object(t, `{"status": {"phase": "Succeeded", "containerStatuses": [{"name": "web", "state": {"terminated": {}}}]}}`))
	written := make(chan struct{})
	_, _ = agent.end.claims.disks.Wait(0, func() (struct{}, error) { <-written; return struct{}{}, nil })
	return agent, func() { close(written) }
}

// longAgo is a time when disks that aren't written since stand still.
func longAgo() time.Time { return time.Now().Add(-standstill) }

func TestNobodyIsToldOfASuccessBeforeItsOutputIsOnTheDisk(t *testing.T) {
	t.Parallel()
	agent, release := writingAgent(t)
	sectors := uint64(0)
	agent.written = func([]manifest.Attachment) uint64 { sectors++; return sectors }
	if err := agent.files.Write(rundir.Outcome, []byte(kubelet.Failed), 0o644); err != nil { // as for any run that is interrupted
		t.Fatal(err)
	}
	for range 2 {
		agent.end.claims.moved = longAgo()
		agent.seeEnd()
		if agent.state.status().Final || agent.files.Outcome() != kubelet.Failed || agent.files.Exists(rundir.MachineEnd) {
			t.Fatal("the disk isn't waited for")
		}
	}
	release()
	agent.seeEnd()
	if !agent.state.status().Final || agent.files.Outcome() != kubelet.Succeeded || !agent.files.Exists(rundir.MachineEnd) {
		t.Errorf("%+v, %s", agent.state.status(), agent.files.Outcome())
	}
}

func TestADiskThatStandsStillIsntWaitedFor(t *testing.T) {
	t.Parallel()
	agent, release := writingAgent(t)
	defer release()
	agent.written = func([]manifest.Attachment) uint64 { return 7 }
	agent.seeEnd()
	if agent.state.status().Final {
		t.Fatal("the disk isn't waited for")
	}
	agent.end.claims.moved = longAgo()
	agent.seeEnd()
	if !agent.state.status().Final {
		t.Error("the disk is waited for")
	}
}

func TestAMachineThatTheOperatorStopsWaitsForItsDisksInThePodsTime(t *testing.T) {
	t.Parallel()
	agent, release := writingAgent(t)
	defer release()
	sectors := uint64(0)
	agent.written = func([]manifest.Attachment) uint64 { sectors++; return sectors }
	mark(t, agent.files, rundir.StopAsked)
	if agent.flush() {
		t.Error("the disk isn't waited for")
	}
	setAge(t, agent.files.Path(rundir.StopAsked), agent.gracePeriod()+kubeletTime)
	if !agent.flush() {
		t.Error("the disk is waited for longer than the Pod has time")
	}
}

func TestAMachineStaysForTheOperatorFromWhenItsStatusIsFinal(t *testing.T) {
	var e ending
	now := time.Unix(1000, 0)
	if !e.isComplete("Succeeded", true, 0, now) {
		t.Fatal("it isn't complete")
	}
	now = now.Add(10 * statusStays) // the claims are written out
	if e.isOver(true, now) || !e.isOver(true, now.Add(statusStays)) {
		t.Error("the operator hasn't its time")
	}
}
