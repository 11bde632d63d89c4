package agent

import (
	"fmt"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// statusStays is how long the machine stays on after its Pod, for the operator to fetch the status and delete it.
	statusStays = 60 * time.Second
	// stillRunningLimit is how long an ended Pod's containers may run on, over its grace period.
	stillRunningLimit = 30 * time.Second
)

// ending is how far the Pod's own end has come; times are zero as long as it hasn't.
type ending struct {
	phaseSince time.Time // since when the Pod's phase is one of the end
	finalSince time.Time // since when the Pod's status is final
}

// isComplete tells whether the Pod has ended, and no container runs any more, or it has had its time. `phase` is the one that the
// Pod has ended with, "" if it hasn't.
func (e *ending) isComplete(phase string, settled bool, grace time.Duration, now time.Time) bool {
	if phase == "" {
		return false
	}
	if e.phaseSince.IsZero() {
		e.phaseSince = now
	}
	return settled || now.Sub(e.phaseSince) >= grace+stillRunningLimit
}

// isOver tells whether the machine may end whose Pod's status is final. If there is an API, the machine stays on for a while for
// the operator to ask.
func (e *ending) isOver(api bool, now time.Time) bool {
	if e.finalSince.IsZero() {
		e.finalSince = now
	}
	return !api || now.Sub(e.finalSince) >= statusStays
}

// seeEnd lets the machine end once the Pod has ended, and the operator has had its time to learn how.
func (a *Agent) seeEnd() {
	pod := a.state.lastPod()
	phase, settled := kubelet.Ended(pod)
	if phase == kubelet.Failed {
		a.writeOutcome(phase)
	}
	if !a.end.ending.isComplete(phase, settled, a.gracePeriod(), time.Now()) || !a.makeFinal(pod, phase) {
		return
	}
	if a.end.ending.isOver(a.manifest.API != nil, time.Now()) {
		a.endMachine(phase)
	}
}

// makeFinal has the status say that the Pod has ended by itself, and tells whether it does. What the Pod wrote to its claims
// is written out before: nobody is told that a run has succeeded whose output may still be lost.
func (a *Agent) makeFinal(pod kube.Object, phase string) bool {
	if a.state.isFinal() {
		return true
	}
	if !a.flush() {
		return false
	}
	a.writeOutcome(phase)
	a.printError(a.files.WriteJSON(rundir.Final, pod, 0o600))
	a.state.set(func(s *state) { s.pod.seen, s.pod.final = pod, true })
	a.copyLogs()
	console.Print("the Pod has ended: %s%s", phase, exitCodes(pod))
	return true
}

// copyLogs has the console show what the Pod's containers said last. A console that takes few lines doesn't hold up the end.
func (a *Agent) copyLogs() {
	_, _ = a.end.copying.Wait(unansweredLimit, func() (struct{}, error) { a.logs.Copy(); return struct{}{}, nil })
}

// exitCodes lists those of the containers that have ended.
func exitCodes(pod kube.Object) string {
	var text strings.Builder
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, container := range kube.List(kube.Map(pod, "status"), kind) {
			ended := kube.Map(kube.Map(container, "state"), "terminated")
			if code, ok := kube.Integer(ended, "exitCode"); ok {
				fmt.Fprintf(&text, ", %s %d (%s)", kube.Text(container, "name"), code, kube.Text(ended, "reason"))
			}
		}
	}
	return text.String()
}

// outcomeIfInterrupted is how the machine ends of a Pod that hasn't ended by itself: one that is to run to its end has
// failed, and one that is to run for ever has succeeded.
func outcomeIfInterrupted(pod kube.Object) string {
	switch kube.Text(kube.Map(pod, "spec"), "restartPolicy") {
	case "", "Always": // the API server's default
		return kubelet.Succeeded
	}
	return kubelet.Failed
}

// writeOutcome notes the phase that the Pod has ended with, since boot may end the machine before the agent does.
func (a *Agent) writeOutcome(phase string) {
	if phase != "" && phase != a.files.Outcome() {
		a.printError(a.files.Write(rundir.Outcome, []byte(phase), 0o644))
	}
}

// endMachine has boot end the machine. The first outcome counts.
func (a *Agent) endMachine(outcome string) {
	if !a.files.Exists(rundir.MachineEnd) {
		a.printError(a.files.Write(rundir.MachineEnd, []byte(outcome), 0o644))
	}
}
