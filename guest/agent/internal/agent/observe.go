package agent

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// unlistedLimit is how long the kubelet may take to list the Pod that it was given.
	unlistedLimit = 20 * time.Second
	// unheardLimit is how long the kubelet may give no answer until its Pod is unready, as on a node
	// (pkg/controller/nodelifecycle/config/v1alpha1/defaults.go, NodeMonitorGracePeriod).
	unheardLimit = 50 * time.Second
)

// observe begins a round with a Pod: it has the round go by the manifest in force, asks the kubelet for its Pods, and keeps
// what it says of ours.
func (a *Agent) observe() {
	a.useManifest()
	a.kubelet.pods, a.kubelet.err = a.kubelet.client.Pods()
	a.noteAnswer(a.kubelet.err, time.Now())
	if a.kubelet.err != nil {
		return
	}
	if pod := a.find(a.kubelet.pods); pod != nil && a.isBelieved(pod) {
		a.state.setPod(pod)
		a.noteEffect(pod) // the status is told before it is told to be that of the manifest
	}
}

// noteAnswer notes whether the kubelet has answered, and whether it may be another one since. One that only takes too long to
// answer is still the same, and knows its probes' results.
func (a *Agent) noteAnswer(err error, now time.Time) {
	var late net.Error
	if err != nil && (!errors.As(err, &late) || !late.Timeout()) {
		a.kubelet.silent = now
	}
	a.state.set(func(s *state) {
		switch {
		case err == nil:
			s.pod.unheard = time.Time{}
		case s.pod.unheard.IsZero():
			s.pod.unheard = now
		}
	})
}

// isBelieved tells whether a kubelet that was started again knows as much of the Pod as the one before it. Until it does,
// what the one before said counts, or a Pod whose containers run on would be unready for a while.
func (a *Agent) isBelieved(pod kube.Object) bool {
	isNew := time.Since(a.kubelet.silent) < kubelet.Probing(a.manifest.Pod)
	if isNew && !kubelet.CaughtUp(a.state.lastPod(), pod) {
		return false
	}
	a.kubelet.silent = time.Time{}
	return true
}

func (a *Agent) find(pods []kube.Object) kube.Object {
	namespace, name := a.podName()
	return kubelet.Find(pods, namespace, name)
}

// silence says that the kubelet hasn't answered for too long; nil if it has.
func (a *Agent) silence() error {
	if a.kubelet.err == nil || !a.state.isUnheard() {
		return nil
	}
	return fmt.Errorf("%s: %w", unheardLine, a.kubelet.err)
}

// rejection says that the kubelet doesn't take the Pod, and why in its own words; nil if it does, or may yet.
func (a *Agent) rejection() error {
	if a.kubelet.err != nil || a.find(a.kubelet.pods) != nil {
		a.kubelet.missing = time.Time{}
		return nil
	}
	if a.kubelet.missing.IsZero() {
		a.kubelet.missing = time.Now()
	}
	if time.Since(a.kubelet.missing) < unlistedLimit {
		return nil
	}
	log := a.files.Path(rundir.Log("kubelet"))
	return fmt.Errorf("the kubelet doesn't take the Pod: %s", lastRejection(log))
}

// lastRejection is what the kubelet's log last says of the static Pod's file (pkg/kubelet/config/file.go).
func lastRejection(log string) string {
	file, err := os.Open(log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	why := "it doesn't say why; see its lines above"
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); strings.Contains(line, rundir.StaticPod) && strings.Contains(line, "err=") {
			_, why, _ = strings.Cut(line, "err=")
		}
	}
	return why
}
