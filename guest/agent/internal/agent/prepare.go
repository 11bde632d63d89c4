package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/hosts"
	"twinhull.dev/guest/agent/internal/identity"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/pull"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	registries  = "/etc/containerd/certs.d"
	credentials = rundir.Root + "/pull.json"
)

// prepare does what comes before the kubelet's start, and starts it.
func (a *Agent) prepare() error {
	namespace, name := a.podName()
	a.domain = hosts.ClusterDomain(a.lease.Search, namespace)
	_, node, err := manifest.SplitName(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(rundir.Manifests, 0o700); err != nil {
		return err
	}
	if err := rundir.Write(rundir.Grace, fmt.Appendf(nil, "%.0f", a.grace().Seconds()), 0o644); err != nil {
		return err
	}
	if a.kubelet, err = kubelet.NewClient(); err != nil {
		return err
	}
	if err := rundir.WriteJSON(rundir.KubeletArgs, kubelet.Arguments(node, a.lease.Address.Addr().String()), 0o600); err != nil {
		return err
	}
	// The last, since it is what the kubelet's start waits for.
	return rundir.WriteJSON(rundir.KubeletConfig, kubelet.Config(a.domain), 0o600)
}

// start resolves the Pod and gives it to the kubelet, or says what is missing.
func (a *Agent) start() error {
	attachments := a.manifest.Attachments
	found, err := a.attaching.Wait(answers, func() (attached, error) { return attachAll(attachments) })
	if err != nil {
		return err
	}
	objects := found.objects
	a.claims = found.claims
	kubernetes, err := a.kubernetes()
	if err != nil {
		return err
	}
	own, err := uid()
	if err != nil {
		return err
	}
	out, err := resolve.Pod(a.input(objects, kubernetes, own))
	if err != nil {
		return err
	}
	if err := a.writeVolumes(out.Volumes, objects); err != nil {
		return err
	}
	if err := a.pulling(objects); err != nil {
		return err
	}
	if err := a.names(out); err != nil {
		return err
	}
	for _, sysctl := range out.Sysctls {
		if err := os.WriteFile("/proc/sys/"+resolve.SysctlPath(sysctl[0]), []byte(sysctl[1]), 0); err != nil {
			return fmt.Errorf("securityContext.sysctls: %s=%s: %w", sysctl[0], sysctl[1], err)
		}
	}
	if err := rundir.WriteJSON(rundir.Devices, out.Devices, 0o644); err != nil {
		return err
	}
	if err := rundir.WriteJSON(rundir.StaticPod, out.Pod, 0o600); err != nil {
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

func attachAll(attachments []manifest.Attachment) (attached, error) {
	claims, err := attach.All(attachments)
	if err != nil {
		return attached{}, err
	}
	objects, err := attach.Read(attachments)
	return attached{claims, objects}, err
}

func (a *Agent) input(objects kube.Objects, kubernetes, uid string) resolve.Input {
	return resolve.Input{
		Pod: a.manifest.Pod, Objects: objects, Claims: a.claims, Own: a.lease.Address.Addr(), Known: known(),
		Hosts: nodeAddresses(), Asked: a.serving,
		UID: uid, Digest: a.manifest.Digest,
		Kubernetes: kubernetes, ClusterDomain: a.domain, Volumes: rundir.Volumes,
		Nameservers: a.lease.Nameservers, Search: a.lease.Search,
	}
}

// uid is the Pod's own. What it is stays so.
func uid() (string, error) {
	if data, err := os.ReadFile(rundir.UID); err == nil {
		return string(data), nil
	}
	made := identity.UUID()
	return made, rundir.Write(rundir.UID, []byte(made), 0o644)
}

// pulling writes what image pulls need: the registries' mirrors, and the Pod's credentials, which stay in
// memory.
func (a *Agent) pulling(objects kube.Objects) error {
	for _, registry := range a.manifest.Registries {
		toml, ca := pull.Hosts(registry, registries)
		if ca != "" {
			pem, err := registry.CA.PEM(objects)
			if err != nil {
				return fmt.Errorf("registry %s: its CA: %w", registry.Host, err)
			}
			if err := rundir.Write(ca, pem, 0o644); err != nil {
				return err
			}
		}
		if err := rundir.Write(filepath.Join(registries, registry.Host, "hosts.toml"), []byte(toml), 0o644); err != nil {
			return err
		}
	}
	config, skipped := pull.Credentials(a.manifest.Pod, objects)
	for _, why := range skipped {
		console.Print("%s", why)
	}
	if err := rundir.Write(credentials, config, 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(kubelet.Root, 0o700); err != nil {
		return err
	}
	link := filepath.Join(kubelet.Root, "config.json")
	_ = os.Remove(link)
	return os.Symlink(credentials, link)
}

// names gives the machine the Pod's.
func (a *Agent) names(out resolve.Output) error {
	if err := unix.Sethostname([]byte(out.Hostname)); err != nil {
		return err
	}
	if err := rundir.Write("/etc/hostname", []byte(out.Hostname+"\n"), 0o644); err != nil {
		return err
	}
	return rundir.Write("/etc/hosts", []byte(hosts.File(a.lease.Address.Addr(), out.Hostname, out.Domain)), 0o644)
}

// kubernetes is the host of the API server's Service: its address, or if the cluster's DNS doesn't tell, its
// name, which its certificate has too. What it is stays so.
func (a *Agent) kubernetes() (string, error) {
	const file = rundir.Root + "/kubernetes-service"
	if data, err := os.ReadFile(file); err == nil {
		return string(data), nil
	}
	host := "kubernetes.default.svc." + a.domain
	if len(a.lease.Nameservers) > 0 {
		if a.asked.IsZero() {
			a.asked = time.Now()
		}
		addresses, err := lookUp(host)
		if mayYetTell(err, time.Since(a.asked)) {
			return "", resolve.Waiting{For: "the cluster's DNS to tell the address of " + host}
		}
		if len(addresses) > 0 {
			host = addresses[0].String()
		}
	}
	a.say(rundir.Write(file, []byte(host), 0o644))
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
