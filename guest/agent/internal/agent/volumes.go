package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/volume"
)

// volumesEvery is how often the volumes' sources are looked at.
const volumesEvery = 10 * time.Second

// writeVolumes writes the Pod's volumes as their sources are now.
func (a *Agent) writeVolumes(volumes []kube.Object, objects kube.Objects) error {
	in := volume.Input{
		Pod: a.manifest.Pod, Objects: objects, OnDisks: manifest.OnDisks(a.manifest.Attachments), Allocatable: allocatable(),
	}
	group, grouped := volume.Group(a.manifest.Pod)
	if !grouped {
		group = -1
	}
	var failed []error
	for _, each := range volumes {
		name := kube.Text(each, "name")
		files, err := volume.Payload(in, each)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		folder := a.files.Path(filepath.Join(rundir.Volumes, name))
		if err := volume.Make(folder, each); err != nil {
			failed = append(failed, fmt.Errorf("volume %s: %w", name, err))
			continue
		}
		if err := makeNested(a.manifest.Pod, name, folder); err != nil {
			failed = append(failed, err)
			continue
		}
		if err := volume.Write(folder, files, group); err != nil {
			failed = append(failed, fmt.Errorf("volume %s: %w", name, err))
		}
	}
	a.volumes.list, a.volumes.written = volumes, time.Now()
	return errors.Join(failed...)
}

func makeNested(pod kube.Object, name, folder string) error {
	for _, nested := range volume.NestedMounts(pod, name) {
		if err := os.MkdirAll(filepath.Join(folder, nested), 0o755); err != nil {
			return fmt.Errorf("volume %s: %w", name, err)
		}
	}
	return nil
}

// refreshVolumes writes volumes again whose sources have changed, and looks after the claims that are disks. What can't be written stays as it is, as a
// kubelet would leave it, and is no reason to touch the Pod.
func (a *Agent) refreshVolumes() {
	if time.Since(a.volumes.written) < volumesEvery {
		return
	}
	a.volumes.written = time.Now()
	attachments := a.manifest.Attachments
	disks := attach.Maintain(attachments)
	read := func() (kube.Objects, error) { return attach.Read(attachments) }
	objects, err := a.volumes.reading.Wait(unansweredLimit, read)
	if err != nil {
		a.state.setStale(errors.Join(disks, fmt.Errorf("volumes can't be kept up to date: %w", err)))
		return
	}
	if a.volumes.list == nil { // an agent before this one has started the Pod
		in := resolve.Input{Pod: a.manifest.Pod, Objects: objects, Volumes: rundir.Volumes}
		if a.volumes.list, err = resolve.AgentVolumes(in); err != nil {
			a.printError(err)
			return
		}
	}
	a.state.setStale(errors.Join(disks, a.writeVolumes(a.volumes.list, objects)))
}
