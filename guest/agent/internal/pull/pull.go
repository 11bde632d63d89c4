// Package pull gives the kubelet what it needs to pull images: credentials and mirrors.
package pull

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
)

// Credentials merges a Pod's imagePullSecrets into one config.json (pkg/credentialprovider/config.go). Of several for the same
// registry the kubelet tries each, as it does for a Pod on a node, though in no order. A Secret that is missing or that can't be
// read is passed over; `skipped` says which and why.
func Credentials(pod kube.Object, objects kube.Objects) (config []byte, skipped []string) {
	auths := map[string]json.RawMessage{}
	for _, reference := range kube.List(kube.Map(pod, "spec"), "imagePullSecrets") {
		name := kube.Text(reference, "name")
		found, err := entries(objects[kube.Ref{Kind: kube.Secret, Name: name}])
		if err != nil {
			skipped = append(skipped, fmt.Sprintf("imagePullSecret %s isn't used: %v", name, err))
		}
		for registry, entry := range found {
			add(auths, registry, entry)
		}
	}
	config, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return nil, append(skipped, err.Error())
	}
	return config, skipped
}

// add adds an entry for a registry. Another one for the same registry gets another spelling of it: of an entry's URL the kubelet
// looks at host and path only (pkg/credentialprovider/keyring.go, Add), so that a query makes no difference.
func add(auths map[string]json.RawMessage, registry string, entry json.RawMessage) {
	spelling, separator := registry, "?"
	if strings.ContainsAny(registry, "?#") {
		separator = "&"
	}
	for number := 2; ; number++ {
		other, taken := auths[spelling]
		if !taken {
			auths[spelling] = entry
		}
		if !taken || bytes.Equal(other, entry) {
			return
		}
		spelling = registry + separator + strconv.Itoa(number)
	}
}

// entries are a Secret's, of type kubernetes.io/dockerconfigjson or the older kubernetes.io/dockercfg.
func entries(secret kube.Data) (map[string]json.RawMessage, error) {
	if data, ok := secret[".dockerconfigjson"]; ok {
		var config struct {
			Auths map[string]json.RawMessage `json:"auths"`
		}
		return config.Auths, json.Unmarshal(data, &config)
	}
	if data, ok := secret[".dockercfg"]; ok {
		var auths map[string]json.RawMessage
		return auths, json.Unmarshal(data, &auths)
	}
	return nil, fmt.Errorf("the Secret doesn't exist, or has neither .dockerconfigjson nor .dockercfg")
}

// Hosts is containerd's hosts.toml for a registry, and the file of its CA ("" if it has none)
// (github.com/containerd/containerd, docs/hosts.md). Mirrors are asked in order, then the registry itself.
func Hosts(registry manifest.Registry, folder string) (toml, ca string) {
	server := "https://" + registry.Host
	if registry.Host == "docker.io" {
		server = "https://registry-1.docker.io"
	}
	if registry.CA != nil {
		ca = path.Join(folder, registry.Host, "ca.crt")
	}
	var text strings.Builder
	fmt.Fprintf(&text, "server = %s\n", quote(server))
	if ca != "" && len(registry.Mirrors) == 0 {
		fmt.Fprintf(&text, "ca = %s\n", quote(ca))
	}
	for _, mirror := range registry.Mirrors {
		fmt.Fprintf(&text, "\n[host.%s]\n  capabilities = [\"pull\", \"resolve\"]\n", quote(mirror))
		if ca != "" {
			fmt.Fprintf(&text, "  ca = %s\n", quote(ca))
		}
	}
	return text.String(), ca
}

// quote is a TOML string: JSON's escapes are among TOML's.
func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}
