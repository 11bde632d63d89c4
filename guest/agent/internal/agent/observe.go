package agent

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

// unlistedLimit is how long the kubelet may take to list the Pod that it was given.
const unlistedLimit = 20 * time.Second

// observe begins a round with a Pod: it has the round go by the manifest in force, asks the kubelet for its Pods, and keeps
// what it says of ours.
func (a *Agent) observe() {
	a.useManifest()
	a.kubelet.pods, a.kubelet.err = a.kubelet.client.Pods()
	if a.kubelet.err != nil {
		a.kubelet.silent = time.Now()
		return
	}
	if pod := a.find(a.kubelet.pods); pod != nil && a.isBelieved(pod) {
		a.state.setPod(pod)
		a.noteEffect(pod) // the status is told before it is told to be that of the manifest
	}
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
