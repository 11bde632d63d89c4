package agent

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// stays is how long the machine stays after its Pod, for the operator to fetch the status and delete it.
	stays = 60 * time.Second
	// unsettled is how long an ended Pod's containers may go on, over its grace period.
	unsettled = 30 * time.Second
	// unseen is how long the kubelet may take to say that it has the Pod.
	unseen = 20 * time.Second
	// flushPatience is how long claims may take to be written to where they come from.
	flushPatience = 5 * time.Second
)

// ending is how far the Pod's end has come.
type ending struct {
	seen  time.Time // a final phase
	final time.Time // and no container that runs any more
}

// next tells whether the status is final, and whether the machine may end: it stays for a while for the
// operator, if that can ask.
func (e *ending) next(phase string, settled bool, grace time.Duration, api bool, now time.Time) (final, over bool) {
	if phase == "" {
		return false, false
	}
	if e.seen.IsZero() {
		e.seen = now
	}
	if !settled && now.Sub(e.seen) < grace+unsettled {
		return false, false
	}
	if e.final.IsZero() {
		e.final = now
	}
	return true, !api || now.Sub(e.final) >= stays
}

// observe asks the kubelet of the Pod, and keeps the last it said.
func (a *Agent) observe() ([]kube.Object, error) {
	pods, err := a.kubelet.Pods()
	if err != nil {
		a.silent = time.Now()
		return nil, err
	}
	if pod := a.find(pods); pod != nil && a.believed(pod) {
		a.state.saw(pod)
		a.settle(pod) // whose status is told before it is told to be the manifest's
	}
	return pods, nil
}

// believed tells whether a kubelet that was started anew knows what the one before it did. Until then that one's
// word stands, or a Pod whose containers run on would be unready for a while.
func (a *Agent) believed(pod kube.Object) bool {
	if time.Since(a.silent) < kubelet.Probing(a.manifest.Pod) && !kubelet.CaughtUp(a.state.seen(), pod) {
		return false
	}
	a.silent = time.Time{}
	return true
}

func (a *Agent) find(pods []kube.Object) kube.Object {
	namespace, name := a.podName()
	return kubelet.Find(pods, namespace, name)
}

// rejected tells if the kubelet doesn't take the Pod, in its own words.
func (a *Agent) rejected(pods []kube.Object, err error) error {
	if err != nil || a.find(pods) != nil {
		a.missing = time.Time{}
		return nil
	}
	if a.missing.IsZero() {
		a.missing = time.Now()
	}
	if time.Since(a.missing) < unseen {
		return nil
	}
	return fmt.Errorf("the kubelet doesn't take the Pod: %s", lastRejection(rundir.Root+"/kubelet.log"))
}

// lastRejection is what the kubelet last said of the static Pod's file (pkg/kubelet/config/file.go).
func lastRejection(log string) string {
	file, err := os.Open(log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	said := "it doesn't say why; see its lines above"
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); strings.Contains(line, rundir.StaticPod) && strings.Contains(line, "err=") {
			_, said, _ = strings.Cut(line, "err=")
		}
	}
	return said
}

// end lets the machine end once the Pod has ended and the operator had its time to learn how.
func (a *Agent) end() {
	pod := a.state.seen()
	phase, settled := kubelet.Ended(pod)
	a.remember(phase)
	final, over := a.ending.next(phase, settled, a.grace(), a.manifest.API != nil, time.Now())
	if final && !a.tell(pod, phase) {
		return
	}
	if over {
		a.finish(phase)
	}
}

// tell makes it known that the Pod has ended by itself, and tells whether it is: what the Pod wrote comes first.
func (a *Agent) tell(pod kube.Object, phase string) bool {
	if a.state.isFinal() {
		return true
	}
	if !a.flush() {
		return false
	}
	a.say(rundir.WriteJSON(rundir.Final, pod, 0o600))
	a.state.set(func(s *state) { s.pod, s.final = pod, true })
	a.logs.Copy()
	console.Print("the Pod has ended: %s%s", phase, exits(pod))
	return true
}

// exits lists the containers' exit codes.
func exits(pod kube.Object) string {
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

// interrupted is how the machine of a Pod ends that hasn't ended itself: a Pod that is to run to its end has
// failed, one that is to run for ever has done so.
func interrupted(pod kube.Object) string {
	switch kube.Text(kube.Map(pod, "spec"), "restartPolicy") {
	case "", "Always": // the API server's default
		return kubelet.Succeeded
	}
	return kubelet.Failed
}

// remember writes down how the Pod has ended, for the machine may be ended before it does so itself.
func (a *Agent) remember(phase string) {
	if phase != "" && phase != rundir.ReadOutcome() {
		a.say(rundir.Write(rundir.Outcome, []byte(phase), 0o644))
	}
}

// flush has what ended containers wrote to claims written to where they come from, and tells when that is done, or is
// taking too long: virtiofsd may be gone.
func (a *Agent) flush() bool {
	if a.flushed {
		return true
	}
	attachments := a.manifest.Attachments
	_, err := a.flushing.Wait(answers, func() (struct{}, error) { return struct{}{}, attach.Flush(attachments) })
	if isLate(err, flushPatience) {
		return false
	}
	if err != nil {
		console.Print("what the Pod wrote to its claims may not be on them: %v", err)
	}
	a.flushed = true
	return true
}

func (a *Agent) finish(phase string) {
	if !rundir.Exists(rundir.End) {
		a.say(rundir.Write(rundir.End, []byte(phase), 0o644))
	}
}
