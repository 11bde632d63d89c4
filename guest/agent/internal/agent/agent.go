// Package agent runs the Pod: it prepares what the kubelet needs, watches what becomes of the Pod, and says when
// the machine may end. Each round looks at everything anew, so an agent that is started again goes on.
package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/logs"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/serve"
	"twinhull.dev/guest/agent/internal/timeout"
)

const (
	round        = time.Second
	volumesEvery = 10 * time.Second
	patience     = time.Minute
	// answers is how long a round waits for what a virtiofs may never answer. The rounds go on without it, so that a
	// shutdown isn't held up.
	answers = 2 * time.Second
	// slow is how long it may take to mount and read everything until that is trouble.
	slow = 30 * time.Second
	// hopeless is how long a machine stays whose manifest is refused and that nobody can give its own.
	hopeless = 20 * time.Second
)

// Agent is the part of the guest that knows of the Pod.
type Agent struct {
	version  string
	manifest manifest.Manifest
	lease    network.Lease
	domain   string
	claims   kube.Claims
	volumes  []kube.Object
	written  time.Time
	kubelet  *kubelet.Client
	logs     *logs.Follower
	state    *state
	ending   ending
	missing  time.Time // since when the kubelet doesn't list the Pod
	gone     int       // rounds in which nothing of the Pod was left
	began    time.Time
	given    string    // the digest of the manifest whose Pod the kubelet was given
	silent   time.Time // when the kubelet last didn't answer
	asked    time.Time // when the cluster's DNS was first asked for the API server
	lacks    time.Time // since when the disk's manifest is refused, and nobody can give the machine's own
	probed   bool      // the readiness probe is served
	serving  bool      // the API is

	attaching timeout.Call[attached]
	reading   timeout.Call[kube.Objects]
	flushing  timeout.Call[struct{}]
	flushed   bool
}

// Run never returns but with an error.
func Run(version string) error {
	agent := &Agent{version: version, logs: logs.New(console.Line), state: newState(version), began: time.Now()}
	agent.state.restore(rundir.InEffect, rundir.Final)
	if err := pki.Make(rundir.PKI); err != nil {
		return fmt.Errorf("making this machine's certificates: %w", err)
	}
	agent.retry("the manifest can't be read", agent.readManifest)
	agent.serve()
	go agent.logs.Run()
	agent.retry("the network isn't there yet", agent.readLease)
	agent.retry("the machine can't be prepared", agent.prepare)
	for ; ; time.Sleep(round) {
		agent.step()
	}
}

// step is one round. A machine that lost writes ends as failed in a moment: whatever its Pod comes to is no longer told.
func (a *Agent) step() {
	if a.state.loss() != "" {
		return
	}
	a.adopt()
	pods, err := a.observe()
	switch {
	case a.state.orders.given():
		a.stop(pods, err)
	case !rundir.Exists(rundir.StaticPod):
		if err := a.start(); !isLate(err, slow) {
			a.state.trouble(a.patient(err))
		}
	default:
		a.state.trouble(errors.Join(a.change(), a.rejected(pods, err)))
		a.refreshVolumes()
		a.end()
	}
}

// isLate tells whether an error says no more than that there is no answer yet, though there may still come one in time.
func isLate(err error, limit time.Duration) bool {
	var late timeout.Late
	return errors.As(err, &late) && late.For < limit
}

// patient takes waiting for no trouble, for a while: a probe comes soon, and so does the launcher Pod's word.
func (a *Agent) patient(err error) error {
	var waiting resolve.Waiting
	if !errors.As(err, &waiting) || time.Since(a.began) > patience {
		return err
	}
	a.state.set(func(s *state) { s.waiting = waiting.Error() })
	return nil
}

// retry does what must be done before all else until it is done. Meanwhile a shutdown isn't held up.
func (a *Agent) retry(what string, do func() error) {
	for start := time.Now(); ; time.Sleep(round) {
		err := do()
		if err == nil {
			a.state.trouble(nil)
			return
		}
		if a.state.orders.given() {
			a.unprepared()
		}
		// What comes by itself in a moment is no trouble.
		if time.Since(start) > 10*time.Second || !errors.Is(err, os.ErrNotExist) {
			a.state.trouble(fmt.Errorf("%s: %w", what, err))
		}
	}
}

// readManifest reads the manifest that was put, or else the disk's.
func (a *Agent) readManifest() error {
	data, err := os.ReadFile(rundir.Manifest)
	if errors.Is(err, os.ErrNotExist) {
		data, err = a.readDisk()
	}
	if err != nil {
		return err
	}
	read, err := manifest.Read(data)
	a.manifest = read
	a.state.set(func(s *state) { s.manifest = read })
	if read.Pod != nil && !rundir.Exists(rundir.Outcome) {
		a.say(rundir.Write(rundir.Outcome, []byte(interrupted(read.Pod)), 0o644))
	}
	if err != nil && (read.API != nil || read.Probe != nil) {
		a.serve() // so that the operator can learn of it
	}
	return err
}

// readDisk reads the disk's manifest, if it is the one that this machine was made for. If it isn't, nothing in it counts:
// who may give the machine another one is told by a disk that who wrote it can't write.
func (a *Agent) readDisk() ([]byte, error) {
	data, err := attach.Manifest()
	if err != nil {
		return nil, err
	}
	trust, err := attach.Trust()
	if err != nil {
		return nil, err
	}
	if why := trust.Refuses(data); why != "" {
		a.lack(trust)
		return nil, errors.New(why)
	}
	return data, nil
}

// lack waits for the operator to put the machine's manifest. If nobody may, or the operator has another by now, the
// machine ends as failed: its next start finds the ConfigMap as the operator has put it back, and a disk that knows it.
func (a *Agent) lack(trust manifest.Trust) {
	outdated := false
	a.state.set(func(s *state) { s.lacking, s.trust, outdated = true, trust, s.outdated })
	if trust.ClientCA != "" {
		a.serveAPI(manifest.API{Port: manifest.APIPort, ClientCA: trust.ClientCA})
	}
	if isHopeless(&a.lacks, trust.ClientCA == "" || outdated, time.Now()) {
		a.finish(kubelet.Failed)
	}
}

// isHopeless tells whether nothing has been able to help for a while. `since` is its memory.
func isHopeless(since *time.Time, helpless bool, now time.Time) bool {
	if !helpless {
		*since = time.Time{}
		return false
	}
	if since.IsZero() {
		*since = now
	}
	return now.Sub(*since) >= hopeless
}

func (a *Agent) readLease() error {
	if err := rundir.ReadJSON(rundir.Network, &a.lease); err != nil {
		return err
	}
	if !a.lease.Address.IsValid() {
		return fmt.Errorf("the lease has no address")
	}
	return nil
}

// serve starts what the manifest asks to be served, once.
func (a *Agent) serve() {
	if probe := a.manifest.Probe; probe != nil && !a.probed {
		a.probed = true
		go serve.Keep(probe.Port, nil, serve.Probe(probe.Token, a.state.ready, a.learn), func(err error) {
			a.say(fmt.Errorf("the readiness probe's port: %w", err))
		})
	}
	if api := a.manifest.API; api != nil {
		a.serveAPI(*api)
	}
}

func (a *Agent) serveAPI(api manifest.API) {
	if a.serving {
		return
	}
	a.serving = true
	config, err := serve.TLS(api.ClientCA)
	if err != nil {
		a.say(fmt.Errorf("the CA of the operator's certificates: %w", err))
		return
	}
	go serve.Keep(api.Port, config, serve.API(a.state.status, a.learnHosts, a.put, a.askStop), func(err error) {
		a.say(fmt.Errorf("the status port: %w", err))
	})
}

// learn keeps the address that the cluster knows the machine by.
func (a *Agent) learn(address netip.Addr) {
	if known() != address {
		a.say(rundir.Write(rundir.Address, []byte(address.String()), 0o644))
	}
	a.state.set(func(s *state) { s.address = address.String() })
}

// known is that address, invalid as long as nobody has told it.
func known() netip.Addr {
	data, err := os.ReadFile(rundir.Address)
	if err != nil {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(strings.TrimSpace(string(data)))
	return address
}

// learnHosts keeps the addresses of the node that the machine started on. Where it moves to later isn't told: what a
// container was started with stays, and a change would make the Pod anew.
func (a *Agent) learnHosts(addresses []netip.Addr) {
	if len(nodeAddresses()) > 0 {
		return
	}
	lines := make([]string, len(addresses))
	for i, address := range addresses {
		lines[i] = address.String()
	}
	a.say(rundir.Write(rundir.HostAddresses, []byte(strings.Join(lines, "\n")), 0o644))
}

// nodeAddresses are those addresses, none as long as the operator hasn't told.
func nodeAddresses() []netip.Addr {
	data, err := os.ReadFile(rundir.HostAddresses)
	if err != nil {
		return nil
	}
	var found []netip.Addr
	for _, line := range strings.Fields(string(data)) {
		if address, err := netip.ParseAddr(line); err == nil {
			found = append(found, address)
		}
	}
	return found
}

func (a *Agent) say(err error) {
	if err != nil {
		console.Print("%v", err)
	}
}

// grace is the Pod's grace period; the API server's default is 30 s.
func (a *Agent) grace() time.Duration {
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
