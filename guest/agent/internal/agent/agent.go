// Package agent runs the Pod: it prepares what the kubelet needs, watches what becomes of the Pod, and says when
// the machine may end. Each round looks at everything anew, so an agent that is started again goes on (phase.go).
package agent

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/logs"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/timeout"
)

const (
	pause = time.Second
	// unansweredLimit is how long a round waits for what a virtiofs may never answer. The rounds go on without it, so that
	// a shutdown isn't held up.
	unansweredLimit = 2 * time.Second
	// comesByItself is how long a file may be missing that others write at the machine's start, until that is trouble.
	comesByItself = 10 * time.Second
)

// Agent is the part of the guest that knows of the Pod. All but `state` belongs to the rounds.
type Agent struct {
	files    rundir.Machine
	state    *state
	logs     *logs.Follower
	manifest manifest.Manifest // that this round goes by
	network  networkFacts
	kubelet  kubeletWatch
	volumes  volumeWriter
	starting podStart
	end      podEnd
	served   served
	waiting  waitingSince
	// setHostname sets the machine's; a test has its own.
	setHostname func([]byte) error
	// newKubelet gives what the kubelet is asked through.
	newKubelet func() (kubeletClient, error)
	// readManifestDisk and readTrustDisk read the two disks that say what to run.
	readManifestDisk func() ([]byte, error)
	readTrustDisk    func() (manifest.Trust, error)
	// written is how many sectors were written to the claims that are disks.
	written func([]manifest.Attachment) uint64
}

// networkFacts are what the machine's network says.
type networkFacts struct {
	lease  network.Lease
	domain string // the cluster's, such as cluster.local
}

// kubeletClient asks the kubelet (kubelet.Client).
type kubeletClient interface {
	Pods() ([]kube.Object, error)
	Running() ([]kube.Object, error)
}

// kubeletWatch is what is known of the kubelet.
type kubeletWatch struct {
	client     kubeletClient
	pods       []kube.Object // its answer in this round
	err        error         // why it gave none
	given      string        // the digest of the manifest whose Pod it was given
	silent     time.Time     // when it last may have been ended, zero once it is believed again
	missing    time.Time     // since when it doesn't list the Pod, zero if it does
	roundsGone int           // rounds, one after the other, in which nothing of the Pod was left
}

// volumeWriter is what the agent knows of the volumes that it writes.
type volumeWriter struct {
	list    []kube.Object // nil if an agent before this one has started the Pod
	written time.Time
	reading timeout.Call[kube.Objects]
}

// podStart is what is under way while the Pod is started.
type podStart struct {
	began     time.Time // when the agent was started
	dnsAsked  time.Time // when the cluster's DNS was first asked for the API server
	attaching timeout.Call[attached]
	refused   error // why a disk isn't mounted, which stays so
	given     bool  // the claims that are disks are fsGroup's
}

// podEnd is what is under way at the Pod's end.
type podEnd struct {
	ending  ending
	claims  claimFlush
	copying timeout.Call[struct{}] // of the containers' logs to the console
}

// served is which servers run.
type served struct{ probe, api bool }

// waitingSince are times since when the agent waits for something, zero if it doesn't.
type waitingSince struct {
	step     time.Time // for what the present phase needs before the Pod
	manifest time.Time // for a manifest that nobody can put
}

func newAgent(version string, files rundir.Machine) *Agent {
	agent := &Agent{files: files, state: newState(version, files), logs: logs.New(files, console.Line)}
	agent.starting.began = time.Now()
	agent.setHostname = unix.Sethostname
	agent.newKubelet = func() (kubeletClient, error) { return kubelet.NewClient() }
	agent.readManifestDisk, agent.readTrustDisk = attach.Manifest, attach.Trust
	agent.written = attach.Written
	agent.state.restore()
	return agent
}

// Run never returns but with an error.
func Run(version string) error {
	agent := newAgent(version, rundir.Machine{})
	if err := pki.Make(rundir.PKI); err != nil {
		return fmt.Errorf("making this machine's certificates: %w", err)
	}
	for {
		if !agent.round() {
			time.Sleep(pause)
		}
	}
}

// rounds are what a round does in each phase. They tell whether the next round may begin at once.
var rounds = [phases]func(*Agent) (atOnce bool){
	ReadingManifest:  (*Agent).readManifest,
	AwaitingManifest: (*Agent).readManifest,
	AwaitingNetwork:  (*Agent).readNetwork,
	PreparingKubelet: (*Agent).prepareKubelet,
	StartingPod:      (*Agent).startPod,
	RunningPod:       (*Agent).lookAfterPod,
	ChangingPod:      (*Agent).lookAfterPod,
	PodEnded:         (*Agent).lookAfterPod,
	StoppingPod:      (*Agent).stopPod,
	PodStopped:       (*Agent).stopPod,
	MachineEnding:    (*Agent).leaveToBoot,
	DiskLost:         (*Agent).leaveToBoot,
}

// round does what the present phase is about. What the kubelet answers, and what was asked of the agent meanwhile, may make
// it another phase.
func (a *Agent) round() (atOnce bool) {
	if a.state.phase().asksKubelet() {
		a.observe()
	}
	return rounds[a.state.phase()](a)
}

func (a *Agent) leaveToBoot() (atOnce bool) { return false }

// once does a step that comes before the Pod, and notes that it is done. If it fails, it is tried again in the next round:
// meanwhile a machine that is to end isn't held up.
func (a *Agent) once(trouble string, step func() error, done func(*progress)) (isDone bool) {
	if a.waiting.step.IsZero() {
		a.waiting.step = time.Now()
	}
	err := step()
	if err == nil {
		a.waiting.step = time.Time{}
		a.state.setTrouble(nil)
		a.state.set(func(s *state) { done(&s.progress) })
		return true
	}
	if a.state.stop.isAsked() {
		a.endUnprepared()
	}
	if time.Since(a.waiting.step) > comesByItself || !errors.Is(err, os.ErrNotExist) {
		a.state.setTrouble(fmt.Errorf("%s: %w", trouble, err))
	}
	return false
}

func (a *Agent) readNetwork() (atOnce bool) {
	return a.once("the network isn't there yet", a.readLease, func(p *progress) { p.networkRead = true })
}

func (a *Agent) readLease() error {
	if err := a.files.ReadJSON(rundir.Network, &a.network.lease); err != nil {
		return err
	}
	if !a.network.lease.Address.IsValid() {
		return fmt.Errorf("the lease has no address")
	}
	return nil
}

// lookAfterPod passes a changed manifest on to the kubelet, keeps volumes up to date, and sees the Pod's end.
func (a *Agent) lookAfterPod() (atOnce bool) {
	a.state.setTrouble(errors.Join(a.updateStaticPod(), a.rejection(), a.silence()))
	a.refreshVolumes()
	a.seeEnd()
	return false
}

// printError writes an error to the console, if there is one.
func (a *Agent) printError(err error) {
	if err != nil {
		console.Print("%v", err)
	}
}

// gracePeriod is the Pod's; the API server's default is 30 s.
func (a *Agent) gracePeriod() time.Duration {
	seconds, set := kube.Integer(kube.Map(a.manifest.Pod, "spec"), "terminationGracePeriodSeconds")
	if !set {
		seconds = 30
	}
	return time.Duration(seconds) * time.Second
}

func (a *Agent) podName() (namespace, name string) {
	metadata := kube.Map(a.manifest.Pod, "metadata")
	return kube.Text(metadata, "namespace"), kube.Text(metadata, "name")
}
