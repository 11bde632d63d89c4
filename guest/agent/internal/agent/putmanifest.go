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

// putManifest takes a manifest that the operator puts, or says why not: the answer's code, and a line. The next round gives
// the kubelet what it changes.
func (a *Agent) putManifest(data []byte) (code int, why string) {
	next, err := manifest.Read(data)
	if err == nil {
		err = next.Validate()
	}
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	a.state.lock.Lock()
	defer a.state.lock.Unlock()
	if why := a.state.whyNoManifestIsTaken(); why != "" {
		return http.StatusServiceUnavailable, why
	}
	if a.state.refusal.waiting {
		return a.putFirstManifest(next, data)
	}
	current := &a.state.manifest
	if path := manifest.Difference(current.inForce, next); path != "" {
		return http.StatusConflict, path + " differs: the machine must be replaced"
	}
	if next.Digest == current.inForce.Digest {
		return http.StatusNoContent, ""
	}
	// The kubelet may be at the Pod of the manifest in force, so that the one before is no longer in effect for sure. The
	// file goes first: an agent that ends here isn't to take it for that of the manifest which is written next.
	if next.Digest == current.inEffect {
		if err := a.files.Remove(rundir.ManifestInEffect); err != nil && !os.IsNotExist(err) {
			return http.StatusServiceUnavailable, err.Error()
		}
		current.inEffect = ""
	}
	if err := a.files.Write(rundir.PutManifest, data, 0o600); err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	current.changing = current.changing || changesAnImage(current.inForce.Pod, next.Pod)
	current.inForce = next
	return http.StatusNoContent, ""
}

// putFirstManifest takes the manifest of a machine whose disk has another one, if it is the one that the disk `trust` names.
// Nothing runs yet that another one could be compared with, so that another one isn't taken, whoever puts it. The machine may
// have been changed since this instance was started. Then it ends, and the next instance has a disk that knows of the change.
func (a *Agent) putFirstManifest(next manifest.Manifest, data []byte) (code int, why string) {
	if why := a.state.refusal.trust.Refuses(data); why != "" {
		a.state.refusal.outdated = true
		return http.StatusConflict, why + ": the machine must be started again"
	}
	if err := a.files.Write(rundir.PutManifest, data, 0o600); err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	a.state.manifest.inForce, a.state.refusal.waiting = next, false
	return http.StatusNoContent, ""
}

// changesAnImage tells whether a container is to have another image.
func changesAnImage(before, after kube.Object) bool {
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

// useManifest has the round go by the manifest that is in force now.
func (a *Agent) useManifest() {
	a.state.set(func(s *state) { a.manifest = s.manifest.inForce })
}

// updateStaticPod gives the kubelet the Pod of a manifest that was put.
func (a *Agent) updateStaticPod() error {
	if a.kubelet.given == a.manifest.Digest {
		return nil
	}
	var static kube.Object
	data, err := a.files.Read(rundir.StaticPod)
	if err == nil {
		err = kube.Decode(data, &static)
	}
	if err != nil {
		return fmt.Errorf("the Pod can't be changed: %w", err)
	}
	if resolve.Digest(static) != a.manifest.Digest {
		resolve.Update(static, a.manifest.Pod, a.manifest.Digest)
		if err := a.files.WriteJSON(rundir.StaticPod, static, 0o600); err != nil {
			return fmt.Errorf("the Pod can't be changed: %w", err)
		}
		console.Print("the Pod is changed: manifest %.12s", a.manifest.Digest)
		a.volumes.written = time.Time{} // they show its labels and resources
	}
	a.kubelet.given = a.manifest.Digest
	return nil
}

// noteEffect notes that the kubelet runs the Pod of the manifest in force, once it does.
func (a *Agent) noteEffect(pod kube.Object) {
	var err error
	a.state.set(func(s *state) { err = a.seeEffect(&s.manifest, pod) })
	a.printError(err)
}

// seeEffect does so while the state's lock is held.
func (a *Agent) seeEffect(current *manifestState, pod kube.Object) (err error) {
	if current.inForce.Digest != a.manifest.Digest {
		return nil // it was put during this round
	}
	if current.inEffect == a.manifest.Digest {
		current.changing = false
		return nil
	}
	current.changing = formerContainer(a.manifest.Pod, pod, a.lastMade) != ""
	if !current.changing && kubelet.Observed(pod) && resolve.Digest(pod) == a.manifest.Digest {
		err = a.files.Write(rundir.ManifestInEffect, []byte(a.manifest.Digest), 0o644)
		current.inEffect = a.manifest.Digest
	}
	return err
}

// formerContainer is the name of a container that is still the one of another image than it is to have, "" if none is.
// `lastMade` gives the container that was last made of a name.
func formerContainer(wanted, pod kube.Object, lastMade func(name string) rundir.Container) string {
	ids := map[string]string{}
	for _, container := range kube.List(kube.Map(pod, "status"), "containerStatuses") {
		_, id, _ := strings.Cut(kube.Text(container, "containerID"), "://")
		ids[kube.Text(container, "name")] = id
	}
	for _, container := range kube.List(kube.Map(wanted, "spec"), "containers") {
		name := kube.Text(container, "name")
		last := lastMade(name)
		if last.ID != "" && (last.Image != kube.Text(container, "image") || ids[name] != last.ID) {
			return name
		}
	}
	return ""
}

func (a *Agent) lastMade(name string) (last rundir.Container) {
	_ = a.files.ReadJSON(filepath.Join(rundir.ContainersMade, name), &last) // none may have been made yet
	return last
}
