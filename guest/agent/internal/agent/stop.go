package agent

import (
	"net/http"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// kubeletTime is what the kubelet needs to end a Pod, over the Pod's grace period.
	kubeletTime = 10 * time.Second
	// deletionLimit is how long a machine stays on to be deleted whose Pod was ended as the operator asked. An operator that
	// went away leaves no Workload down: the machine then ends, and KubeVirt runs it again by its runStrategy.
	deletionLimit = 5 * time.Minute
)

// stopRequest are the files that say that the Pod is to end, and how far that is. They outlive the agent.
type stopRequest struct{ files rundir.Machine }

// isAsked tells whether the Pod is to end.
func (s stopRequest) isAsked() bool {
	return s.files.Exists(rundir.PowerOff) || s.files.Exists(rundir.StopAsked)
}

// progress is what the status says of the operator's request: "none", "asked" or "done".
func (s stopRequest) progress() string {
	switch {
	case !s.files.Exists(rundir.StopAsked):
		return "none"
	case !s.files.Exists(rundir.Stopped):
		return "asked"
	}
	return "done"
}

// isOverdue tells whether the time of a Pod is over that the operator asked to end. If the machine is to be powered off,
// boot counts.
func (s stopRequest) isOverdue(grace time.Duration) bool {
	since, asked := s.files.Since(rundir.StopAsked)
	return asked && since >= grace+kubeletTime
}

// machineMayEnd tells whether the Pod is gone, and nobody is to delete its machine, or hasn't for too long.
func (s stopRequest) machineMayEnd() bool {
	since, stopped := s.files.Since(rundir.Stopped)
	return stopped && (s.files.Exists(rundir.PowerOff) || since >= deletionLimit)
}

// askStop takes the operator's request to end the Pod, or says why not: the answer's code, and a line. The next round
// begins with it.
func (a *Agent) askStop() (code int, why string) {
	var isNew bool
	var err error
	// Under the lock, as putManifest does it, so that no manifest is taken afterwards.
	a.state.set(func(*state) { isNew, err = a.files.Mark(rundir.StopAsked) })
	if err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	if isNew {
		console.Print("the operator asks to end the Pod")
	}
	return http.StatusAccepted, ""
}

// stopPod ends the Pod as a deletion would, and then the machine, unless the operator is to delete that.
func (a *Agent) stopPod() (atOnce bool) {
	if !a.files.Exists(rundir.Stopped) {
		switch {
		case a.removePod():
			a.copyLogs()
			console.Print("the Pod is gone")
		case a.state.stop.isOverdue(a.gracePeriod()) && a.flush():
			console.Print("the Pod hasn't ended in time")
		default:
			return false
		}
		a.markStopped()
	}
	if a.state.stop.machineMayEnd() {
		a.endMachine(a.files.Outcome())
	}
	return false
}

// markStopped notes that nobody waits for the Pod any more. Its file is gone by then, also if the kubelet never knew that: one that
// comes back would start the Pod again.
func (a *Agent) markStopped() {
	if a.files.Exists(rundir.StaticPod) {
		a.printError(a.files.Remove(rundir.StaticPod))
	}
	_, err := a.files.Mark(rundir.Stopped)
	a.printError(err)
}

// removePod has the kubelet end the Pod, which it does with a Pod whose file is gone, and tells whether nothing of it is
// left. What the kubelet says of the Pod meanwhile isn't the Pod's own end.
func (a *Agent) removePod() (isGone bool) {
	pod := a.find(a.kubelet.pods)
	if a.files.Exists(rundir.StaticPod) {
		phase, settled := kubelet.Ended(pod)
		if settled && !a.makeFinal(pod, phase) {
			return false
		}
		// One that has succeeded may still be writing, so that is for makeFinal to say, once its output is written out.
		if phase == kubelet.Failed {
			a.writeOutcome(phase)
		}
		if pod == nil && a.kubeletIsStarting() {
			return false
		}
	}
	if removed := a.files.Remove(rundir.StaticPod); removed == nil {
		console.Print("the Pod is being ended")
		a.kubelet.roundsGone = 0
		return false
	}
	if a.kubelet.err != nil || pod != nil {
		a.kubelet.roundsGone = 0
		return false
	}
	running, err := a.kubelet.client.Running()
	if err != nil || len(running) > 0 {
		a.kubelet.roundsGone = 0
		return false
	}
	// In two rounds, since the kubelet may be making the Pod just now.
	a.kubelet.roundsGone++
	return a.kubelet.roundsGone >= 2 && a.flush()
}

// kubeletIsStarting tells whether the kubelet was ended and doesn't list the Pod again yet. A Pod whose file is gone by then is one
// that it doesn't know, which it would kill with a grace period of 1 s (pkg/kubelet/kubelet_pods.go, HandlePodCleanups).
func (a *Agent) kubeletIsStarting() bool {
	return !a.kubelet.silent.IsZero() && time.Since(a.kubelet.silent) < unlistedLimit
}

// endUnprepared lets a machine end that was to end before its Pod could be looked after.
func (a *Agent) endUnprepared() {
	if a.files.Exists(rundir.PowerOff) {
		a.endMachine(a.files.Outcome())
		return
	}
	if !a.files.Exists(rundir.StaticPod) || a.state.stop.isOverdue(a.gracePeriod()) {
		a.markStopped()
	}
	if a.state.stop.machineMayEnd() {
		a.endMachine(a.files.Outcome())
	}
}
