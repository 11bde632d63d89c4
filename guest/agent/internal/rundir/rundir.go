// Package rundir names the files that the guest's parts tell each other things by. All are below /run/twinhull,
// on a tmpfs, so any part can die and pick up where it was.
package rundir

import (
	"encoding/json"
	"os"
	"path/filepath"
)

const (
	// Root holds all of them.
	Root = "/run/twinhull"
	// Network is what DHCP gave, from boot to the agent (network.Lease).
	Network = Root + "/network.json"
	// Resolv is the machine's resolv.conf, which the Pod's is made from.
	Resolv = Root + "/resolv.conf"
	// KubeletConfig is the kubelet's configuration; boot starts the kubelet once it is there.
	KubeletConfig = Root + "/kubelet.json"
	// KubeletArgs is the kubelet's arguments beside it, a JSON list.
	KubeletArgs = Root + "/kubelet-args.json"
	// Manifests is where the kubelet looks for static Pods.
	Manifests = Root + "/manifests"
	// StaticPod is the Pod's own file there.
	StaticPod = Manifests + "/pod.json"
	// Manifest is the manifest that the operator has put since the machine's start.
	Manifest = Root + "/manifest.json"
	// InEffect is the digest of the manifest whose Pod the kubelet was last seen to run.
	InEffect = Root + "/in-effect"
	// UID is the Pod's uid, if the launcher Pod doesn't tell it.
	UID = Root + "/pod-uid"
	// Made has the container that was last made of each name (Container), from the runtime step to the agent.
	Made = Root + "/containers"
	// Devices tells the runtime step of the block devices of each container.
	Devices = Root + "/devices.json"
	// Grace is the Pod's grace period in seconds, from the agent to boot.
	Grace = Root + "/grace"
	// Stop asks the agent to end the Pod: the machine is being shut down.
	Stop = Root + "/stop"
	// StopAsked says since when (Mark) the operator asks to end the Pod.
	StopAsked = Root + "/stop-asked"
	// Stopped says since when (Mark) the Pod is gone that was to be ended, or its time is over.
	Stopped = Root + "/stopped"
	// Final is the Pod as it ended by itself, as JSON.
	Final = Root + "/final.json"
	// Outcome is how the machine ends if it is ended now, "Succeeded" or "Failed", from the agent to boot.
	Outcome = Root + "/outcome"
	// DiskLost is there if writes to the root disk were lost: a line about it, from boot to the agent.
	DiskLost = Root + "/disk-lost"
	// End says that the machine may end, and how: "Succeeded" or "Failed".
	End = Root + "/end"
	// PKI has the certificates that kubelet and agent know each other by.
	PKI = Root + "/pki"
	// Mounts has the attachments, a folder a device.
	Mounts = Root + "/attachments"
	// Volumes has the volumes that the agent writes.
	Volumes = Root + "/volumes"
	// Address is the address that the cluster knows the machine by, once a probe has told.
	Address = Root + "/pod-address"
	// HostAddresses are those of the node that the machine started on, once the operator has told.
	HostAddresses = Root + "/host-addresses"
)

// Container is one that was made, and the image that it was made from, as its Pod names it.
type Container struct {
	ID    string `json:"id"`
	Image string `json:"image"`
}

// Write replaces a file in one step: whoever reads it sees the old content or the new.
func Write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// The leading dot keeps the kubelet from reading a half-written static Pod (pkg/kubelet/config/file.go).
	// Its name is its own, since two may write at once.
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// WriteJSON replaces a file by a value's JSON.
func WriteJSON(path string, value any, mode os.FileMode) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return Write(path, data, mode)
}

// ReadJSON reads a value back.
func ReadJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// ReadOutcome is what Outcome says. Without the agent's word nobody knows of a success.
func ReadOutcome() string { return outcome(os.ReadFile(Outcome)) }

func outcome(data []byte, err error) string {
	if err != nil {
		return "Failed"
	}
	return string(data)
}

// Exists tells whether there is such a file.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
