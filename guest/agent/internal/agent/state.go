package agent

import (
	"cmp"
	"maps"
	"os"
	"strings"
	"sync"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/serve"
)

// state is what the servers answer from, while the rounds go on.
type state struct {
	lock     sync.Mutex
	version  string
	manifest manifest.Manifest // that is in force
	inEffect string            // the digest of the one that the kubelet was seen to run
	changing bool              // a container is to have another image
	pod      kube.Object
	error    string
	stale    string
	waiting  string
	address  string
	orders   orders
	put      string // the file with the manifest that the operator has put
	diskLost string // the file that says that writes to the root disk were lost
	final    bool
	lacking  bool // the manifest on the disk isn't the machine's: it waits to be given that
	trust    manifest.Trust
	outdated bool // it was given another: what the machine runs by now, the disk `trust` doesn't know
}

func newState(version string) *state {
	return &state{
		version: version, orders: orders{rundir.Stop, rundir.StopAsked, rundir.Stopped},
		put: rundir.Manifest, diskLost: rundir.DiskLost,
	}
}

// restore goes on from what an agent before this one wrote down.
func (s *state) restore(inEffect, final string) {
	if effect, err := os.ReadFile(inEffect); err == nil {
		s.inEffect = string(effect)
	}
	var pod kube.Object
	if data, err := os.ReadFile(final); err == nil && kube.Decode(data, &pod) == nil {
		s.pod, s.final = pod, true
	}
}

// trouble is the agent's own, in one line; nil ends it. It is told to the console when it changes.
func (s *state) trouble(err error) { s.tell(&s.error, err) }

// isStale is trouble with volumes that can't be what their sources are now, while the Pod runs on.
func (s *state) isStale(err error) { s.tell(&s.stale, err) }

func (s *state) tell(where *string, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	said := ""
	if err != nil {
		said = oneLine(err.Error())
	}
	if said != *where && said != "" {
		console.Print("%s", said)
	}
	*where = said
}

func (s *state) saw(pod kube.Object) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.pod = pod
}

// set changes what the servers answer.
func (s *state) set(change func(*state)) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change(s)
}

// seen is the Pod as the kubelet last said it is.
func (s *state) seen() kube.Object {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.pod
}

func (s *state) isFinal() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.final
}

// loss is what boot says of writes to the root disk that were lost, "" if none were. The machine ends soon.
func (s *state) loss() string {
	said, _ := os.ReadFile(s.diskLost)
	return string(said)
}

// closed says why no manifest is taken any more, or yet. The lock is held.
func (s *state) closed() string {
	phase, _ := kubelet.Ended(s.pod)
	switch {
	case s.orders.given():
		return "the machine is shutting down"
	case s.loss() != "":
		return s.loss()
	case s.final || phase != "":
		return "the Pod has ended"
	case s.manifest.Pod == nil && !s.lacking:
		return "the machine's own manifest isn't read yet"
	}
	return ""
}

func (s *state) ready() (bool, string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	is, why := kubelet.Ready(s.pod)
	switch {
	case s.orders.given():
		return false, "the machine is shutting down"
	case s.loss() != "":
		return false, s.loss()
	case s.error != "":
		return is && !s.changing, s.error
	case s.pod == nil && s.waiting != "":
		return false, s.waiting
	case s.pod == nil:
		return false, "the Pod isn't there yet"
	case is && s.changing:
		return false, "a change is being made"
	}
	return is, why
}

func (s *state) status() serve.Status {
	s.lock.Lock()
	defer s.lock.Unlock()
	trouble := cmp.Or(s.loss(), s.error, s.stale)
	answer := serve.Status{
		Version: s.version, Error: trouble, Final: s.final, Stop: s.orders.said(),
		Manifest: s.inEffect, Lacking: s.lacking, Pod: kube.Object{},
	}
	if s.pod != nil {
		answer.Pod = kube.Object{
			"metadata": kept(kube.Map(s.pod, "metadata")),
			"status":   addressed(kube.Map(s.pod, "status"), s.address),
		}
	}
	return answer
}

// kept is what of the Pod's metadata its reader may need. The annotations are the kubelet's own.
func kept(metadata kube.Object) kube.Object {
	few := kube.Object{}
	for _, key := range []string{"name", "namespace", "uid", "labels"} {
		if value, ok := metadata[key]; ok {
			few[key] = value
		}
	}
	return few
}

// addressed is a status with the Pod's address in the cluster. A kubelet without an API server leaves it out
// (pkg/kubelet/kubelet_pods.go, generateAPIPodStatus), and would know another.
func addressed(status kube.Object, address string) kube.Object {
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
