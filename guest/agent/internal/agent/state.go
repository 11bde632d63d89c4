package agent

import (
	"cmp"
	"maps"
	"strings"
	"sync"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/serve"
)

// state is what the rounds and the servers share. Its lock guards all of it. Nobody prints while holding the lock: the console may
// take no lines, and the servers are to answer all the same.
type state struct {
	lock     sync.Mutex
	version  string
	files    rundir.Machine
	stop     stopRequest
	progress progress
	manifest manifestState
	refusal  refusal
	pod      podState
	trouble  troubles
}

// progress is which steps are done that each agent does once, before it looks after the Pod.
type progress struct{ manifestRead, networkRead, kubeletPrepared bool }

// manifestState is which manifest the machine runs by.
type manifestState struct {
	inForce  manifest.Manifest // read from the disk, or put
	inEffect string            // the digest of the one whose Pod the kubelet was last seen to run
	changing bool              // a container still is the one of another image
}

// refusal is what is known while the manifest on the disk isn't the one that the machine was made for.
type refusal struct {
	waiting  bool // for the operator to put that one
	trust    manifest.Trust
	outdated bool // another one was put: the machine was changed since the disk `trust` was made
}

// podState is what is known of the Pod.
type podState struct {
	seen    kube.Object // as the kubelet last said it is
	unheard time.Time   // since when the kubelet gives no answer, zero if it does
	final   bool        // it has ended by itself
	address string      // by which the cluster knows it
}

// troubles are what keeps the agent from its work, each in one line.
type troubles struct {
	error   string // the Pod can't be run
	stale   string // volumes can't be kept up to date; the Pod runs on
	waiting string // what the Pod's start waits for, while that is no trouble yet
}

func newState(version string, files rundir.Machine) *state {
	return &state{version: version, files: files, stop: stopRequest{files}}
}

// restore reads what an agent before this one has written of its Pod.
func (s *state) restore() {
	if digest, err := s.files.Read(rundir.ManifestInEffect); err == nil {
		s.manifest.inEffect = string(digest)
	}
	var pod kube.Object
	if data, err := s.files.Read(rundir.Final); err == nil && kube.Decode(data, &pod) == nil {
		s.pod.seen, s.pod.final = pod, true
	}
	if address, err := s.files.Read(rundir.PodAddress); err == nil {
		s.pod.address = strings.TrimSpace(string(address))
	}
}

// phase is the present one.
func (s *state) phase() Phase {
	s.lock.Lock()
	defer s.lock.Unlock()
	return phaseOf(facts{
		podGiven:        s.files.Exists(rundir.StaticPod),
		podFinal:        s.pod.final,
		stopAsked:       s.stop.isAsked(),
		podStopped:      s.files.Exists(rundir.Stopped),
		machineEnding:   s.files.Exists(rundir.MachineEnd),
		diskLost:        s.diskLoss() != "",
		manifestRead:    s.progress.manifestRead,
		manifestRefused: s.refusal.waiting,
		networkRead:     s.progress.networkRead,
		kubeletPrepared: s.progress.kubeletPrepared,
		imageChanging:   s.manifest.changing,
	})
}

// setTrouble sets what keeps the Pod from running; nil is nothing. The console shows it when it changes.
func (s *state) setTrouble(err error) { s.setLine(&s.trouble.error, err) }

// setStale sets why volumes aren't what their sources are; nil is nothing. The Pod runs on.
func (s *state) setStale(err error) { s.setLine(&s.trouble.stale, err) }

func (s *state) setLine(line *string, err error) {
	text := ""
	if err != nil {
		text = oneLine(err.Error())
	}
	isNew := false
	s.set(func(*state) { isNew, *line = text != *line, text })
	if isNew && text != "" {
		console.Print("%s", text)
	}
}

func (s *state) setPod(pod kube.Object) { s.set(func(s *state) { s.pod.seen = pod }) }

// set changes what the servers answer.
func (s *state) set(change func(*state)) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change(s)
}

// lastPod is the Pod as the kubelet last said it is.
func (s *state) lastPod() kube.Object {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.pod.seen
}

func (s *state) isFinal() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.pod.final
}

// unheardLine says that nobody knows how the Pod is.
const unheardLine = "the machine's kubelet doesn't answer"

// isUnheard tells whether the kubelet hasn't answered for too long.
func (s *state) isUnheard() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.kubeletIsGone()
}

// kubeletIsGone does so while the lock is held.
func (s *state) kubeletIsGone() bool {
	return !s.pod.unheard.IsZero() && time.Since(s.pod.unheard) >= unheardLimit
}

// diskLoss is boot's line about writes to the root disk that were lost, "" if none were.
func (s *state) diskLoss() string {
	line, _ := s.files.Read(rundir.DiskLost)
	return string(line)
}

// whyNoManifestIsTaken is a line, "" if one is taken. The lock is held.
func (s *state) whyNoManifestIsTaken() string {
	phase, _ := kubelet.Ended(s.pod.seen)
	switch {
	case s.stop.isAsked():
		return "the machine is shutting down"
	case s.diskLoss() != "":
		return s.diskLoss()
	case s.pod.final || phase != "":
		return "the Pod has ended"
	case s.manifest.inForce.Pod == nil && !s.refusal.waiting:
		return "the machine's own manifest isn't read yet"
	}
	return ""
}

// ready tells whether the Pod is, and why or why not in one line.
func (s *state) ready() (bool, string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	isReady, why := kubelet.Ready(s.pod.seen)
	switch {
	case s.stop.isAsked():
		return false, "the machine is shutting down"
	case s.diskLoss() != "":
		return false, s.diskLoss()
	case s.kubeletIsGone():
		return false, unheardLine
	case s.trouble.error != "":
		return isReady && !s.manifest.changing, s.trouble.error
	case s.pod.seen == nil && s.trouble.waiting != "":
		return false, s.trouble.waiting
	case s.pod.seen == nil:
		return false, "the Pod isn't there yet"
	case isReady && s.manifest.changing:
		return false, "a change is being made"
	}
	return isReady, why
}

// status is the answer to GET /v1/status.
func (s *state) status() serve.Status {
	s.lock.Lock()
	defer s.lock.Unlock()
	answer := serve.Status{
		Version: s.version, Error: cmp.Or(s.diskLoss(), s.trouble.error, s.trouble.stale), Final: s.pod.final,
		Stop: s.stop.progress(), Manifest: s.manifest.inEffect, Lacking: s.refusal.waiting, Pod: kube.Object{},
	}
	if s.pod.seen != nil {
		answer.Pod = kube.Object{
			"metadata": selectedMetadata(kube.Map(s.pod.seen, "metadata")),
			"status":   withAddress(kube.Map(s.pod.seen, "status"), s.pod.address),
		}
	}
	return answer
}

// selectedMetadata is what of the Pod's metadata its reader may need. The annotations are the kubelet's own.
func selectedMetadata(metadata kube.Object) kube.Object {
	selected := kube.Object{}
	for _, key := range []string{"name", "namespace", "uid", "labels"} {
		if value, ok := metadata[key]; ok {
			selected[key] = value
		}
	}
	return selected
}

// withAddress is a status with the Pod's address in the cluster. A kubelet without an API server leaves it out
// (pkg/kubelet/kubelet_pods.go, generateAPIPodStatus), and would know another.
func withAddress(status kube.Object, address string) kube.Object {
	if address == "" {
		return status
	}
	added := make(kube.Object, len(status)+2)
	maps.Copy(added, status)
	added["podIP"] = address
	added["podIPs"] = []any{kube.Object{"ip": address}}
	return added
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r", ""), "\n", "; ")
}
