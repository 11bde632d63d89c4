package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/ext4"
	"twinhull.dev/guest/agent/internal/hosts"
	"twinhull.dev/guest/agent/internal/identity"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/pull"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/timeout"
	"twinhull.dev/guest/agent/internal/volume"
)

const (
	// registries is containerd's folder with where images are pulled from.
	registries = "/etc/containerd/certs.d"
	// startLimit is how long it may take to mount and read what the Pod refers to, until that is trouble.
	startLimit = 30 * time.Second
	// waitingLimit is how long the Pod's start may wait for what comes soon, until that is trouble.
	waitingLimit = time.Minute
)

// prepareKubelet does what comes before the kubelet's start, and has boot start it.
func (a *Agent) prepareKubelet() (atOnce bool) {
	return a.once("the machine can't be prepared", a.tryPrepare, func(p *progress) { p.kubeletPrepared = true })
}

func (a *Agent) tryPrepare() error {
	namespace, name := a.podName()
	a.network.domain = hosts.ClusterDomain(a.network.lease.Search, namespace)
	_, node, err := manifest.SplitName(name)
	if err != nil {
		return err
	}
	if err := a.files.MakeFolder(rundir.Manifests, 0o700); err != nil {
		return err
	}
	if err := a.files.Write(rundir.GracePeriod, fmt.Appendf(nil, "%.0f", a.gracePeriod().Seconds()), 0o644); err != nil {
		return err
	}
	if a.kubelet.client, err = a.newKubelet(); err != nil {
		return err
	}
	arguments := kubelet.Arguments(node, a.network.lease.Address.Addr().String())
	if err := a.files.WriteJSON(rundir.KubeletArgs, arguments, 0o600); err != nil {
		return err
	}
	// The last, since it is what the kubelet's start waits for.
	return a.files.WriteJSON(rundir.KubeletConfig, kubelet.Config(a.network.domain), 0o600)
}

// startPod gives the Pod to the kubelet, or says what is missing.
func (a *Agent) startPod() (atOnce bool) {
	if err := a.tryStart(); !isUnanswered(err, startLimit) {
		a.state.setTrouble(a.withoutWaiting(err))
	}
	return false
}

// isUnanswered tells whether an error says no more than that there is no answer yet, and the limit isn't over.
func isUnanswered(err error, limit time.Duration) bool {
	var late timeout.Late
	return errors.As(err, &late) && late.For < limit
}

// withoutWaiting is an error, unless it only says what the Pod waits for: a probe comes soon, and so do the launcher Pod's
// uid and the operator's word.
func (a *Agent) withoutWaiting(err error) error {
	var waiting resolve.Waiting
	if !errors.As(err, &waiting) || time.Since(a.starting.began) > waitingLimit {
		return err
	}
	a.state.set(func(s *state) { s.trouble.waiting = waiting.Error() })
	return nil
}

// tryStart resolves the Pod, does what it asks of the machine, and gives it to the kubelet.
func (a *Agent) tryStart() error {
	if a.starting.refused != nil {
		return a.starting.refused
	}
	attachments, pod, given := a.manifest.Attachments, a.manifest.Pod, a.starting.given
	work := func() (attached, error) { return attachAll(attachments, pod, given) }
	attached, err := a.starting.attaching.Wait(unansweredLimit, work)
	if err != nil {
		if refused := (ext4.Refused{}); errors.As(err, &refused) {
			a.starting.refused = err
		}
		if late := (timeout.Late{}); errors.As(err, &late) {
			return fmt.Errorf("mounting and reading what the Pod refers to, such as a claim whose file system is being checked: %w", err)
		}
		return err
	}
	a.starting.given = true
	input, err := a.input(attached)
	if err != nil {
		return err
	}
	out, err := resolve.Pod(input)
	if err != nil {
		return err
	}
	if err := a.writeVolumes(out.Volumes, attached.objects); err != nil {
		return err
	}
	if err := a.preparePulls(attached.objects); err != nil {
		return err
	}
	if err := a.nameMachine(out); err != nil {
		return err
	}
	for _, sysctl := range out.Sysctls {
		file := a.files.Path("/proc/sys/" + resolve.SysctlPath(sysctl[0]))
		if err := os.WriteFile(file, []byte(sysctl[1]), 0); err != nil {
			return fmt.Errorf("securityContext.sysctls: %s=%s: %w", sysctl[0], sysctl[1], err)
		}
	}
	if err := a.files.WriteJSON(rundir.ContainerDevices, out.Devices, 0o644); err != nil {
		return err
	}
	// The last, since it is what says that the Pod was started.
	if err := a.files.WriteJSON(rundir.StaticPod, out.Pod, 0o600); err != nil {
		return err
	}
	namespace, name := a.podName()
	console.Print("Pod %s/%s is given to the kubelet", namespace, name)
	return nil
}

// attached is what the machine was given.
type attached struct {
	claims  kube.Claims
	objects kube.Objects
}

// attachAll mounts and reads what the machine was given. `given` is whether this agent has given the claims to fsGroup already.
func attachAll(attachments []manifest.Attachment, pod kube.Object, given bool) (attached, error) {
	claims, err := attach.MountAll(attachments)
	if err != nil {
		return attached{}, err
	}
	if !given {
		if err := giveToGroup(attachments, claims, pod); err != nil {
			return attached{}, err
		}
	}
	objects, err := attach.Read(attachments)
	return attached{claims, objects}, err
}

// giveToGroup gives the claims that are disks to the Pod's fsGroup, as a node does at each start of a Pod.
func giveToGroup(attachments []manifest.Attachment, claims kube.Claims, pod kube.Object) error {
	group, grouped := volume.Group(pod)
	if !grouped {
		return nil
	}
	policy := kube.Text(kube.Map(kube.Map(pod, "spec"), "securityContext"), "fsGroupChangePolicy")
	for _, attachment := range attachments {
		if attachment.FileSystem == "" {
			continue
		}
		if err := volume.Give(claims.Folders[attachment.Name], group, policy != "OnRootMismatch"); err != nil {
			return fmt.Errorf("%s %s: fsGroup: %w", attachment.Kind, attachment.Name, err)
		}
	}
	return nil
}

func (a *Agent) input(attached attached) (resolve.Input, error) {
	kubernetes, err := a.kubernetesService()
	if err != nil {
		return resolve.Input{}, err
	}
	uid, err := a.podUID()
	if err != nil {
		return resolve.Input{}, err
	}
	lease := a.network.lease
	return resolve.Input{
		Pod: a.manifest.Pod, Objects: attached.objects, OnDisks: manifest.OnDisks(a.manifest.Attachments), Claims: attached.claims, Own: lease.Address.Addr(),
		Known: a.podAddress(), Hosts: a.nodeAddresses(), Asked: a.served.api,
		UID: uid, Digest: a.manifest.Digest,
		Kubernetes: kubernetes, ClusterDomain: a.network.domain, Volumes: rundir.Volumes,
		Nameservers: lease.Nameservers, Search: lease.Search,
	}, nil
}

// podUID is the Pod's own, the same for as long as the machine runs.
func (a *Agent) podUID() (string, error) {
	if data, err := a.files.Read(rundir.PodUID); err == nil {
		return string(data), nil
	}
	uid := identity.UUID()
	return uid, a.files.Write(rundir.PodUID, []byte(uid), 0o644)
}

// preparePulls writes what image pulls need: the registries' mirrors, and the Pod's credentials, which stay in
// memory.
func (a *Agent) preparePulls(objects kube.Objects) error {
	for _, registry := range a.manifest.Registries {
		toml, ca := pull.Hosts(registry, registries)
		if ca != "" {
			pem, err := registry.CA.PEM(objects)
			if err != nil {
				return fmt.Errorf("registry %s: its CA: %w", registry.Host, err)
			}
			if err := a.files.Write(ca, pem, 0o644); err != nil {
				return err
			}
		}
		if err := a.files.Write(filepath.Join(registries, registry.Host, "hosts.toml"), []byte(toml), 0o644); err != nil {
			return err
		}
	}
	config, skipped := pull.Credentials(a.manifest.Pod, objects)
	for _, why := range skipped {
		console.Print("%s", why)
	}
	if err := a.files.Write(rundir.PullCredentials, config, 0o600); err != nil {
		return err
	}
	if err := a.files.MakeFolder(kubelet.Root, 0o700); err != nil {
		return err
	}
	link := filepath.Join(kubelet.Root, "config.json")
	_ = a.files.Remove(link)
	return os.Symlink(rundir.PullCredentials, a.files.Path(link))
}

// nameMachine gives the machine the Pod's host name.
func (a *Agent) nameMachine(out resolve.Output) error {
	if err := a.setHostname([]byte(out.Hostname)); err != nil {
		return err
	}
	if err := a.files.Write("/etc/hostname", []byte(out.Hostname+"\n"), 0o644); err != nil {
		return err
	}
	file := hosts.File(a.network.lease.Address.Addr(), out.Hostname, out.Domain)
	return a.files.Write("/etc/hosts", []byte(file), 0o644)
}

// kubernetesService is the host of the API server's Service: its address, or if the cluster's DNS doesn't tell, its name,
// which its certificate has, too. It is the same for as long as the machine runs.
func (a *Agent) kubernetesService() (string, error) {
	if data, err := a.files.Read(rundir.KubernetesService); err == nil {
		return string(data), nil
	}
	host := "kubernetes.default.svc." + a.network.domain
	if len(a.network.lease.Nameservers) > 0 {
		if a.starting.dnsAsked.IsZero() {
			a.starting.dnsAsked = time.Now()
		}
		addresses, err := lookUp(host)
		if isWorthAsking(err, time.Since(a.starting.dnsAsked)) {
			return "", resolve.Waiting{For: "the cluster's DNS to tell the address of " + host}
		}
		if len(addresses) > 0 {
			host = addresses[0].String()
		}
	}
	a.printError(a.files.Write(rundir.KubernetesService, []byte(host), 0o644))
	return host, nil
}

// allocatable is what this machine has for containers without limits: all.
func allocatable() map[string]string {
	var memory unix.Sysinfo_t
	_ = unix.Sysinfo(&memory)
	var disk unix.Statfs_t
	_ = unix.Statfs("/var/lib", &disk)
	var cpus unix.CPUSet
	_ = unix.SchedGetaffinity(0, &cpus)
	return map[string]string{
		"cpu":               strconv.Itoa(cpus.Count()),
		"memory":            strconv.FormatUint(uint64(memory.Totalram)*uint64(memory.Unit), 10),
		"ephemeral-storage": strconv.FormatUint(disk.Blocks*uint64(disk.Bsize), 10),
	}
}
