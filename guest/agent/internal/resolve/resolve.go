// Package resolve makes a static Pod of a Pod of an API server, so that a kubelet without an API server runs it the same way. It
// is pure: all that it needs to know is in its input.
package resolve

import (
	"net/netip"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
)

// Input is what a Pod is resolved from.
type Input struct {
	Pod     kube.Object
	Objects kube.Objects
	OnDisks kube.OnDisks
	Claims  kube.Claims
	// UID is the Pod's uid, unless the launcher Pod's is asked for. A kubelet changes the Pod if another file has the same
	// uid; if it has another uid, the kubelet ends the Pod and makes another one (pkg/kubelet/config/config.go).
	UID string
	// Digest is that of the manifest that the Pod is from.
	Digest string
	// Own is the address of the machine's network card, to which its own probes go.
	Own netip.Addr
	// Known is the address that the cluster knows the machine by, invalid as long as no probe has told it.
	Known netip.Addr
	// Hosts are the addresses of the node, none as long as the operator hasn't told them. Asked tells whether an operator can
	// tell them.
	Hosts []netip.Addr
	Asked bool
	// Kubernetes is the host of the API server's Service.
	Kubernetes string
	// ClusterDomain is the cluster's, such as cluster.local.
	ClusterDomain string
	// Nameservers and Search are what DHCP says of DNS.
	Nameservers []netip.Addr
	Search      []string
	// Volumes is the folder that the agent writes volumes in.
	Volumes string
}

// Output is a static Pod, and what the machine needs for it.
type Output struct {
	Pod kube.Object
	// Volumes are those of the Pod that the agent writes, as the Pod has them.
	Volumes []kube.Object
	// Devices are each container's block devices.
	Devices map[string][]Device
	// Sysctls are the network's, which is the machine's: name and value.
	Sysctls [][2]string
	// Hostname is the machine's, and Domain what follows it in /etc/hosts.
	Hostname, Domain string
}

// Device is a block device in a container.
type Device struct {
	Path        string `json:"path"`
	Source      string `json:"source"`
	Permissions string `json:"permissions"`
}

// A step does one part of the work on the output's Pod, which is a copy of the input's.
type step func(in Input, out *Output) error

// steps are in an order by which each finds what it needs: the token is among the volumes, and the host name comes from fields
// that are removed last.
var steps = []step{
	token,
	environment,
	volumes,
	claimFolders,
	devices,
	hostname,
	network,
	sysctls,
	dns,
	removeClusterOnly,
	name,
}

// Pod resolves a Pod. An error is for people. A later try may succeed if the error is a Waiting, or the missing object is one
// that changes live.
func Pod(in Input) (Output, error) {
	out := Output{Pod: kube.Clone(in.Pod), Devices: map[string][]Device{}}
	for _, step := range steps {
		if err := step(in, &out); err != nil {
			return Output{}, err
		}
	}
	return out, nil
}

// name gives the static Pod its name, from which the kubelet makes the Pod's, its uid, and its manifest's digest.
func name(in Input, out *Output) error {
	metadata := kube.Map(out.Pod, "metadata")
	static, _, err := manifest.SplitName(kube.Text(metadata, "name"))
	if err != nil {
		return err
	}
	metadata["name"], metadata["uid"] = static, in.UID
	noteManifest(metadata, in.Digest, 1)
	if _, asked := in.Objects.First(kube.Launcher); !asked {
		return nil
	}
	uid, err := Launcher(in.Objects, "metadata.uid")
	metadata["uid"] = uid
	return err
}
