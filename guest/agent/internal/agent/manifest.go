package agent

import (
	"errors"
	"os"
	"time"

	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

// unhelpedLimit is how long a machine stays whose manifest is refused and that nobody can give its own.
const unhelpedLimit = 20 * time.Second

// readManifest reads the manifest. From then on the machine's servers run, and the containers' logs are copied.
func (a *Agent) readManifest() (atOnce bool) {
	if !a.once("the manifest can't be read", a.tryManifest, func(p *progress) { p.manifestRead = true }) {
		return false
	}
	a.serve()
	go a.logs.Run()
	return true
}

// tryManifest reads the manifest that was put, or else the disk's.
func (a *Agent) tryManifest() error {
	data, err := a.files.Read(rundir.PutManifest)
	if errors.Is(err, os.ErrNotExist) {
		data, err = a.readDisk()
	}
	if err != nil {
		return err
	}
	read, err := manifest.Read(data)
	a.manifest = read
	a.state.set(func(s *state) { s.manifest.inForce = read })
	if read.Pod != nil && !a.files.Exists(rundir.Outcome) {
		a.printError(a.files.Write(rundir.Outcome, []byte(outcomeIfInterrupted(read.Pod)), 0o644))
	}
	if err != nil && (read.API != nil || read.Probe != nil) {
		a.serve() // so that the operator can learn of it
	}
	return err
}

// readDisk reads the disk's manifest, if it is the one that this machine was made for. If it isn't, nothing in it counts. The
// disk `trust` says who may put another one; whoever wrote the manifest can't write that disk.
func (a *Agent) readDisk() ([]byte, error) {
	data, err := a.readManifestDisk()
	if err != nil {
		return nil, err
	}
	trust, err := a.readTrustDisk()
	if err != nil {
		return nil, err
	}
	if why := trust.Refuses(data); why != "" {
		a.awaitManifest(trust)
		return nil, errors.New(why)
	}
	return data, nil
}

// awaitManifest lets the operator put the machine's manifest. If nobody may, or the operator has another one by now, the
// machine ends as failed. Its next start finds the ConfigMap as the operator has put it back, and a disk that knows of that.
func (a *Agent) awaitManifest(trust manifest.Trust) {
	outdated := false
	a.state.set(func(s *state) {
		s.refusal.waiting, s.refusal.trust = true, trust
		outdated = s.refusal.outdated
	})
	if trust.ClientCA != "" {
		a.serveAPI(manifest.API{Port: manifest.APIPort, ClientCA: trust.ClientCA})
	}
	if isUnhelped(&a.waiting.manifest, trust.ClientCA == "" || outdated, time.Now()) {
		a.endMachine(kubelet.Failed)
	}
}

// isUnhelped tells whether nobody has been able to put the manifest for the whole of unhelpedLimit. `since` is its memory.
func isUnhelped(since *time.Time, helpless bool, now time.Time) bool {
	if !helpless {
		*since = time.Time{}
		return false
	}
	if since.IsZero() {
		*since = now
	}
	return now.Sub(*since) >= unhelpedLimit
}
