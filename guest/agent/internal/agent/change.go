package agent

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
)

// put takes a manifest that the operator puts, or says why not: the answer's code, and a line. What it changes is
// done by the next round.
func (a *Agent) put(data []byte) (code int, why string) {
	next, err := manifest.Read(data)
	if err == nil {
		err = next.Sound()
	}
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	a.state.lock.Lock()
	defer a.state.lock.Unlock()
	if why := a.state.closed(); why != "" {
		return http.StatusServiceUnavailable, why
	}
	if a.state.lacking {
		return a.takeFirst(next, data)
	}
	if path := manifest.Difference(a.state.manifest, next); path != "" {
		return http.StatusConflict, path + " differs: the machine must be replaced"
	}
	if next.Digest == a.state.manifest.Digest {
		return http.StatusNoContent, ""
	}
	if err := rundir.Write(a.state.put, data, 0o600); err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	a.state.changing = a.state.changing || remade(a.state.manifest.Pod, next.Pod)
	a.state.manifest = next
	if next.Digest == a.state.inEffect { // what came between may be, too
		a.state.inEffect = ""
		_ = os.Remove(rundir.InEffect)
	}
	return http.StatusNoContent, ""
}

// takeFirst takes the manifest of a machine whose disk has another: the one that the disk `trust` names. Nothing runs yet
// that another could be compared with, so that one isn't taken, whoever puts it. The machine may have been changed since
// this instance was started. Then it ends, and the next instance has a disk that knows of the change.
func (a *Agent) takeFirst(next manifest.Manifest, data []byte) (code int, why string) {
	if why := a.state.trust.Refuses(data); why != "" {
		a.state.outdated = true
		return http.StatusConflict, why + ": the machine must be started again"
	}
	if err := rundir.Write(a.state.put, data, 0o600); err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	a.state.manifest, a.state.lacking = next, false
	return http.StatusNoContent, ""
}

// remade tells whether a container is to have another image.
func remade(before, after kube.Object) bool {
	images := map[string]string{}
	for _, container := range kube.List(kube.Map(before, "spec"), "containers") {
		images[kube.Text(container, "name")] = kube.Text(container, "image")
	}
	for _, container := range kube.List(kube.Map(after, "spec"), "containers") {
		if images[kube.Text(container, "name")] != kube.Text(container, "image") {
			return true
		}
	}
	return false
}

// adopt goes on with the manifest that is in force now.
func (a *Agent) adopt() {
	a.state.set(func(s *state) { a.manifest = s.manifest })
}

// change gives the kubelet the Pod of a manifest that was put.
func (a *Agent) change() error {
	if a.given == a.manifest.Digest {
		return nil
	}
	var static kube.Object
	data, err := os.ReadFile(rundir.StaticPod)
	if err == nil {
		err = kube.Decode(data, &static)
	}
	if err != nil {
		return fmt.Errorf("the Pod can't be changed: %w", err)
	}
	if resolve.Digest(static) != a.manifest.Digest {
		resolve.Renew(static, a.manifest.Pod, a.manifest.Digest)
		if err := rundir.WriteJSON(rundir.StaticPod, static, 0o600); err != nil {
			return fmt.Errorf("the Pod can't be changed: %w", err)
		}
		console.Print("the Pod is changed: manifest %.12s", a.manifest.Digest)
		a.written = time.Time{} // its volumes show its labels and resources
	}
	a.given = a.manifest.Digest
	return nil
}

// settle notes that the kubelet runs the Pod of the manifest in force, once it does.
func (a *Agent) settle(pod kube.Object) {
	a.state.lock.Lock()
	defer a.state.lock.Unlock()
	if a.state.manifest.Digest != a.manifest.Digest {
		return // it is put just now
	}
	if a.state.inEffect == a.manifest.Digest {
		a.state.changing = false
		return
	}
	fresh := outdated(a.manifest.Pod, pod, lastMade) == ""
	a.state.changing = !fresh
	if fresh && kubelet.Observed(pod) && resolve.Digest(pod) == a.manifest.Digest {
		a.say(rundir.Write(rundir.InEffect, []byte(a.manifest.Digest), 0o644))
		a.state.inEffect = a.manifest.Digest
	}
}

// outdated is a container that is still the one of another image than it is to have, "" if none is. `made` gives the one
// that was last made of a name.
func outdated(wanted, pod kube.Object, made func(name string) rundir.Container) string {
	known := map[string]string{}
	for _, container := range kube.List(kube.Map(pod, "status"), "containerStatuses") {
		_, id, _ := strings.Cut(kube.Text(container, "containerID"), "://")
		known[kube.Text(container, "name")] = id
	}
	for _, container := range kube.List(kube.Map(wanted, "spec"), "containers") {
		name := kube.Text(container, "name")
		last := made(name)
		if last.ID != "" && (last.Image != kube.Text(container, "image") || known[name] != last.ID) {
			return name
		}
	}
	return ""
}

func lastMade(name string) (last rundir.Container) {
	_ = rundir.ReadJSON(filepath.Join(rundir.Made, name), &last) // none was made yet
	return last
}
