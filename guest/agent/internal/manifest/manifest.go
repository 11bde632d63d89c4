// Package manifest reads what the operator tells the guest; guest/README.md specifies it.
package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

// Version is the one that this guest knows.
const Version = 1

// APIPort is the API's port for as long as the machine waits for its manifest, which would say the port.
const APIPort = 65250

// Manifest is manifest.json.
type Manifest struct {
	Version     int          `json:"version"`
	Pod         kube.Object  `json:"pod"`
	Attachments []Attachment `json:"attachments"`
	Probe       *Probe       `json:"probe"`
	API         *API         `json:"api"`
	Registries  []Registry   `json:"registries"`
	// Digest is the sha256 of its bytes, in hex (the function Digest).
	Digest string `json:"-"`
	// whole has every field, also those that this guest doesn't know.
	whole kube.Object
}

// Attachment is an object that the machine has as a device: a disk with a serial number, or a virtiofs with a tag.
type Attachment struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Optional bool   `json:"optional"`
	Serial   string `json:"serial"`
	Tag      string `json:"tag"`
	// FileSystem is what a claim that is a disk is mounted by; "" if its containers have the disk itself.
	FileSystem string `json:"fileSystem"`
}

// Ref is the object that is attached.
func (a Attachment) Ref() kube.Ref { return kube.Ref{Kind: a.Kind, Name: a.Name} }

// OnDisks are the objects among attachments that are disks.
func OnDisks(attachments []Attachment) kube.OnDisks {
	found := kube.OnDisks{}
	for _, attachment := range attachments {
		if attachment.Serial != "" && attachment.Kind != kube.Claim {
			found[attachment.Ref()] = true
		}
	}
	return found
}

// Device names what it is attached as.
func (a Attachment) Device() string {
	if a.Tag != "" {
		return a.Tag
	}
	return a.Serial
}

// Probe is the port of the readiness probe, and the token that its header must have.
type Probe struct {
	Port  int    `json:"port"`
	Token string `json:"token"`
}

// API is the port of the API, and the CA (PEM) of the clients that may use it.
type API struct {
	Port     int    `json:"port"`
	ClientCA string `json:"clientCA"`
}

// Registry is where a registry's images are pulled from.
type Registry struct {
	Host    string     `json:"host"`
	Mirrors []string   `json:"mirrors"`
	CA      *Authority `json:"ca"`
}

// Authority is the certificates that a registry is trusted by: a key of a ConfigMap, or the PEM itself.
type Authority struct {
	ConfigMap string `json:"configMap"`
	Key       string `json:"key"`
	Bundle    string `json:"bundle"`
}

// PEM is an authority's certificates. `objects` has the ConfigMaps.
func (a Authority) PEM(objects kube.Objects) ([]byte, error) {
	if a.Bundle != "" {
		return []byte(a.Bundle), nil
	}
	found := objects[kube.Ref{Kind: kube.ConfigMap, Name: a.ConfigMap}][a.Key]
	if found == nil {
		return nil, fmt.Errorf("ConfigMap %s has no key %q", a.ConfigMap, a.Key)
	}
	return found, nil
}

// Read reads a manifest. One that can be read and not be used is given beside the error, for its API to serve that.
func Read(data []byte) (Manifest, error) {
	var read Manifest
	for _, into := range []any{&read, &read.whole} {
		if err := kube.Decode(data, into); err != nil {
			return Manifest{}, fmt.Errorf("the manifest is no JSON of its kind: %w", err)
		}
	}
	read.Digest = Digest(data)
	return read, read.check()
}

// Digest is the sha256 of a manifest's bytes, in hex.
func Digest(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func (m Manifest) check() error {
	if m.Version != Version {
		return fmt.Errorf("the manifest is of version %d, and this guest knows %d: use a guest image of the operator's version",
			m.Version, Version)
	}
	if _, _, err := SplitName(kube.Text(kube.Map(m.Pod, "metadata"), "name")); err != nil {
		return err
	}
	if len(kube.List(kube.Map(m.Pod, "spec"), "containers")) == 0 {
		return fmt.Errorf("the manifest's Pod has no containers")
	}
	for _, attachment := range m.Attachments {
		if attachment.Device() == "" || strings.Contains(attachment.Device(), "/") {
			return fmt.Errorf("the manifest's attachment %s %s has neither serial nor tag", attachment.Kind, attachment.Name)
		}
	}
	return nil
}

// SplitName gives the names of static Pod and node that make the Pod's own: the kubelet calls a static Pod
// <name>-<node> (pkg/kubelet/config/common.go, generatePodName).
func SplitName(pod string) (static, node string, err error) {
	at := strings.LastIndex(pod, "-")
	if at <= 0 || at == len(pod)-1 || strings.ToLower(pod) != pod {
		return "", "", fmt.Errorf("the manifest's Pod is called %q, and not <workload>-<revision>", pod)
	}
	return pod[:at], pod[at+1:], nil
}
