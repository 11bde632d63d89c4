package resolve

import (
	"encoding/json"
	"strconv"

	"twinhull.dev/guest/agent/internal/kube"
)

// network gives the Pod the machine's network, which is its own: there is one Pod in the machine. Ports are
// named to be found by number, and would be taken for ports of the node (pkg/apis/core/v1/defaults.go,
// defaultHostNetworkPorts); probes and hooks go to the machine's address, as they would to the Pod's.
func network(in Input, out *Output) error {
	kube.Map(out.Pod, "spec")["hostNetwork"] = true
	for _, container := range kube.Containers(out.Pod) {
		ports := kube.List(container, "ports")
		for _, handler := range handlers(container) {
			for _, kind := range []string{"httpGet", "tcpSocket"} {
				target := kube.Map(handler, kind)
				if target == nil {
					continue
				}
				if kube.Text(target, "host") == "" {
					target["host"] = in.Own.String()
				}
				if name, named := target["port"].(string); named {
					target["port"] = portNumber(ports, name)
				}
			}
		}
		delete(container, "ports")
	}
	return nil
}

// handlers are a container's probes and hooks.
func handlers(container kube.Object) []kube.Object {
	var found []kube.Object
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		found = append(found, kube.Map(container, probe))
	}
	lifecycle := kube.Map(container, "lifecycle")
	return append(found, kube.Map(lifecycle, "postStart"), kube.Map(lifecycle, "preStop"))
}

// portNumber is a named port's number. An unknown name stays, and the kubelet says so
// (pkg/probe/util.go, ResolveContainerPort).
func portNumber(ports []kube.Object, name string) any {
	for _, port := range ports {
		if kube.Text(port, "name") == name {
			return port["containerPort"]
		}
	}
	if number, err := strconv.Atoi(name); err == nil {
		return json.Number(strconv.Itoa(number))
	}
	return name
}
