package resolve

import (
	"fmt"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

// Waiting is the error while something isn't known yet that others tell soon.
type Waiting struct{ For string }

func (w Waiting) Error() string { return "waiting for " + w.For }

// field is the value of a field that the kubelet of this machine can't know. ok is false for those that it can:
// metadata.* is the Pod's own there too (pkg/kubelet/kubelet_pods.go, podFieldSelectorRuntimeValue).
func field(in Input, path string) (value string, ok bool, err error) {
	switch path {
	case "spec.serviceAccountName":
		return serviceAccount(in.Pod), true, nil
	case "status.podIP", "status.podIPs":
		if !in.Known.IsValid() {
			return "", true, Waiting{"the readiness probe that tells the machine its address in the cluster (" + path + ")"}
		}
		return in.Known.String(), true, nil
	case "metadata.uid":
		_, err := Launcher(in.Objects, path)
		return "", false, err
	case "spec.nodeName":
		value, err := Launcher(in.Objects, path)
		return value, true, err
	case "status.hostIP", "status.hostIPs":
		value, err := host(in, path)
		return value, true, err
	}
	return "", false, nil
}

// host is the node's first address, or all of them as a kubelet joins them (pkg/fieldpath, pkg/kubelet/kubelet_pods.go).
func host(in Input, path string) (string, error) {
	switch {
	case !in.Asked:
		return "", fmt.Errorf("%s is told to this machine by no operator: give that --guest-key-file, remove the field, or use isolation Container", path)
	case len(in.Hosts) == 0:
		return "", Waiting{"the operator to tell " + path}
	case path == "status.hostIP":
		return in.Hosts[0].String(), nil
	}
	all := make([]string, len(in.Hosts))
	for i, address := range in.Hosts {
		all[i] = address.String()
	}
	return strings.Join(all, ","), nil
}

// serviceAccount is the one that an API server would have set
// (plugin/pkg/admission/serviceaccount/admission.go, Admit).
func serviceAccount(pod kube.Object) string {
	spec := kube.Map(pod, "spec")
	for _, key := range []string{"serviceAccountName", "serviceAccount"} {
		if account := kube.Text(spec, key); account != "" {
			return account
		}
	}
	return "default"
}

// launcherFiles are the fields that only the launcher Pod knows, by the file that tells them.
var launcherFiles = map[string]string{"metadata.uid": "uid", "spec.nodeName": "node"}

// Launcher is what the launcher Pod tells of the Pod. The node comes some time after the machine has started.
func Launcher(objects kube.Objects, path string) (string, error) {
	launcher, given := objects.First(kube.Launcher)
	if !given {
		return "", fmt.Errorf("%s isn't told to this machine: remove it, or use isolation Container", path)
	}
	value := strings.TrimSpace(string(launcher[launcherFiles[path]]))
	if value == "" {
		return "", Waiting{"the launcher Pod to tell " + path}
	}
	return value, nil
}
