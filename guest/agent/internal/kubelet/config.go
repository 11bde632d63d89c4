// Package kubelet starts and asks the machine's kubelet, which has no API server.
package kubelet

import (
	"path/filepath"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// Port is the kubelet's, above those that Pods use.
const Port = 65251

// Root is the kubelet's folder.
const Root = "/var/lib/kubelet"

// imagesGo is from how many percent of the disk on the kubelet removes images that no container has any more, until imagesStay are
// used. A node's 85 and 80 would leave 3 of the disk's 20 GiB for the next image, which takes its compressed and its unpacked size
// while it is pulled. Nothing else would make room: on a node that is an eviction. The images of containers that have ended
// (Arguments) stay, and so does the way back to a former image.
const (
	imagesGo   = 60
	imagesStay = 50
)

// Config is the KubeletConfiguration (k8s.io/kubelet/config/v1beta1). Nothing is kept back for the system and
// nothing is evicted: the machine is made for its one Pod.
func Config(clusterDomain string) kube.Object {
	return kube.Object{
		"apiVersion":               "kubelet.config.k8s.io/v1beta1",
		"kind":                     "KubeletConfiguration",
		"containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
		"cgroupDriver":             "cgroupfs",
		"staticPodPath":            rundir.Manifests,
		"fileCheckFrequency":       "5s", // it is told of changes by inotify; this is in case it isn't
		"podLogsDir":               "/var/log/pods",
		"enableServer":             true,
		"address":                  "127.0.0.1",
		"port":                     Port,
		"readOnlyPort":             0,
		"healthzPort":              0,
		"tlsCertFile":              filepath.Join(rundir.PKI, pki.Server+".crt"),
		"tlsPrivateKeyFile":        filepath.Join(rundir.PKI, pki.Server+".key"),
		"tlsMinVersion":            "VersionTLS13",
		"authentication": kube.Object{
			"anonymous": kube.Object{"enabled": false},
			"webhook":   kube.Object{"enabled": false},
			"x509":      kube.Object{"clientCAFile": filepath.Join(rundir.PKI, pki.CA)},
		},
		"authorization":           kube.Object{"mode": "AlwaysAllow"},
		"registerNode":            false,
		"enableDebuggingHandlers": true, // for /runningpods
		"enableSystemLogHandler":  false,
		"enableProfilingHandler":  false,
		"enableDebugFlagsHandler": false,
		"makeIPTablesUtilChains":  false,
		"failSwapOn":              false,
		"protectKernelDefaults":   false,
		"resolvConf":              rundir.Resolv,
		"clusterDomain":           clusterDomain,
		"maxPods":                 2,
		// These are of the Pod's own namespaces, and no other Pod is in the machine.
		"allowedUnsafeSysctls":        []string{"kernel.shm*", "kernel.msg*", "kernel.sem", "fs.mqueue.*"},
		"imageGCHighThresholdPercent": imagesGo,
		"imageGCLowThresholdPercent":  imagesStay,
		"evictionHard": kube.Object{
			"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%",
			"imagefs.available": "0%", "imagefs.inodesFree": "0%",
		},
		"enforceNodeAllocatable": []string{"none"},
		"serializeImagePulls":    false,
		"logging":                kube.Object{"verbosity": 1},
	}
}

// Arguments are the kubelet's flags. The node's name is the end of the Pod's (manifest.SplitName). Without an
// address the kubelet would ask the cluster's DNS for one by that name (pkg/kubelet/nodestatus/setters.go).
//
// Of each container two that have ended are kept. A container that is made and not yet started counts as ended
// (pkg/kubelet/kuberuntime/kuberuntime_gc.go, evictableContainers). If one were kept, a slow machine would lose the container
// before it, which tells how it ended.
func Arguments(node, address string) []string {
	return []string{
		"--config=" + rundir.KubeletConfig,
		"--root-dir=" + Root,
		"--maximum-dead-containers-per-container=2",
		"--hostname-override=" + node,
		"--node-ip=" + address,
	}
}
