package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/pull"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// serial is the serial number of the disk that has node.json, the kubeconfig, and the network plugins in bin.
	serial     = "reference"
	disk       = "/run/reference"
	plugins    = "/opt/cni/bin"
	podNetwork = "/etc/cni/net.d/pods.conflist"
	registries = "/etc/containerd/certs.d"
)

// Node is node.json, which tests/guest/reference writes: the node that this machine is to be.
type Node struct {
	Name          string              `json:"name"`
	Labels        string              `json:"labels"`
	Taints        []kube.Object       `json:"taints"`
	ClusterDomain string              `json:"clusterDomain"`
	ClusterDNS    []string            `json:"clusterDNS"`
	PodNetwork    json.RawMessage     `json:"podNetwork"`
	Registries    []manifest.Registry `json:"registries"`
	ProxyPort     int                 `json:"proxyPort"`
}

// join starts the kubelet as a node, and then leads connections from outside to the Pods.
func join() error {
	node, err := read()
	if err != nil {
		return err
	}
	if err := prepare(node); err != nil {
		return err
	}
	lease := waitForNetwork()
	_ = unix.Sethostname([]byte(node.Name))
	arguments := append(kubelet.Arguments(node.Name, lease.Address.Addr().String()),
		"--kubeconfig="+filepath.Join(disk, "kubeconfig"), "--node-labels="+node.Labels)
	if err := rundir.WriteJSON(rundir.KubeletArgs, arguments, 0o600); err != nil {
		return err
	}
	// The last, since it is what the kubelet's start waits for.
	if err := rundir.WriteJSON(rundir.KubeletConfig, config(node), 0o600); err != nil {
		return err
	}
	console.Print("node %s joins the cluster", node.Name)
	return proxy(node.ProxyPort)
}

// config is the configuration of a machine's kubelet, with what a cluster's node has instead.
func config(node Node) kube.Object {
	made := kubelet.Config(node.ClusterDomain)
	for _, own := range []string{"staticPodPath", "fileCheckFrequency", "tlsCertFile", "tlsPrivateKeyFile", "maxPods"} {
		delete(made, own)
	}
	made["authentication"] = kube.Object{
		"anonymous": kube.Object{"enabled": false}, "webhook": kube.Object{"enabled": true},
	}
	made["registerNode"] = true
	made["registerWithTaints"] = node.Taints
	made["clusterDNS"] = node.ClusterDNS
	return made
}

func read() (node Node, err error) {
	device, err := block.Wait(serial, 30*time.Second)
	if err != nil {
		return node, err
	}
	if err := os.MkdirAll(disk, 0o755); err != nil {
		return node, err
	}
	if err := unix.Mount(device, disk, "iso9660", unix.MS_RDONLY, ""); err != nil && err != unix.EBUSY {
		return node, fmt.Errorf("mounting %s: %w", device, err)
	}
	return node, rundir.ReadJSON(filepath.Join(disk, "node.json"), &node)
}

// prepare gives containerd the network plugins and the registries.
func prepare(node Node) error {
	if err := os.MkdirAll(filepath.Dir(plugins), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(disk, "bin"), plugins); err != nil && !os.IsExist(err) {
		return err
	}
	// Pods reach the outside with their own addresses: QEMU's network asks who has these, and the node answers.
	for _, setting := range []string{"ip_forward", "conf/all/proxy_arp"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+setting, []byte("1"), 0); err != nil {
			return err
		}
	}
	for _, registry := range node.Registries {
		toml, _ := pull.Hosts(registry, registries)
		if err := rundir.Write(filepath.Join(registries, registry.Host, "hosts.toml"), []byte(toml), 0o644); err != nil {
			return err
		}
	}
	return rundir.Write(podNetwork, node.PodNetwork, 0o644)
}

func waitForNetwork() network.Lease {
	for {
		var lease network.Lease
		if rundir.ReadJSON(rundir.Network, &lease) == nil {
			return lease
		}
		time.Sleep(100 * time.Millisecond)
	}
}
