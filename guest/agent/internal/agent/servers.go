package agent

import (
	"fmt"
	"net/netip"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/serve"
)

// serve starts the servers that the manifest asks for, each once.
func (a *Agent) serve() {
	if probe := a.manifest.Probe; probe != nil && !a.served.probe {
		a.served.probe = true
		go serve.KeepServing(probe.Port, nil, serve.Probe(probe.Token, a.state.ready, a.setPodAddress), func(err error) {
			a.printError(fmt.Errorf("the readiness probe's port: %w", err))
		})
	}
	if api := a.manifest.API; api != nil {
		a.serveAPI(*api)
	}
}

func (a *Agent) serveAPI(api manifest.API) {
	if a.served.api {
		return
	}
	a.served.api = true
	config, certificate, err := serve.TLS(api.ClientCA)
	if err != nil {
		a.printError(fmt.Errorf("the CA of the operator's certificates: %w", err))
		return
	}
	proxy, err := kubelet.NewProxy()
	if err != nil {
		a.printError(fmt.Errorf("the way to the kubelet for persons: %w", err))
		return
	}
	handler := serve.API(
		serve.Guest{
			Status: a.state.status, SetNodeAddresses: a.setNodeAddresses, PutManifest: a.putManifest, AskStop: a.askStop,
		},
		serve.Access{Certificate: certificate, Kubelet: proxy, Endpoint: a.kubeletPath},
	)
	go serve.KeepServing(api.Port, config, handler, func(err error) { a.printError(fmt.Errorf("the status port: %w", err)) })
}

// kubeletPath is the path of one of the kubelet's endpoints for a container of the Pod, or for the Pod itself. It is "" until
// the kubelet has been given the Pod.
func (a *Agent) kubeletPath(endpoint, container string) string {
	if !a.files.Exists(rundir.StaticPod) {
		return ""
	}
	a.state.lock.Lock()
	defer a.state.lock.Unlock()
	metadata := kube.Map(a.state.manifest.inForce.Pod, "metadata")
	return strings.TrimSuffix(
		"/"+strings.Join([]string{endpoint, kube.Text(metadata, "namespace"), kube.Text(metadata, "name"), container}, "/"), "/")
}

// setPodAddress keeps the address that the cluster knows the machine by.
func (a *Agent) setPodAddress(address netip.Addr) {
	if a.podAddress() != address {
		a.printError(a.files.Write(rundir.PodAddress, []byte(address.String()), 0o644))
	}
	a.state.set(func(s *state) { s.pod.address = address.String() })
}

// podAddress is that address, invalid as long as no probe has told it.
func (a *Agent) podAddress() netip.Addr {
	data, err := a.files.Read(rundir.PodAddress)
	if err != nil {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(strings.TrimSpace(string(data)))
	return address
}

// setNodeAddresses keeps the addresses of the node that the machine started on. The first that are told stay: a container
// keeps what it was started with, and others would make the Pod anew.
func (a *Agent) setNodeAddresses(addresses []netip.Addr) {
	if len(a.nodeAddresses()) > 0 {
		return
	}
	lines := make([]string, len(addresses))
	for i, address := range addresses {
		lines[i] = address.String()
	}
	a.printError(a.files.Write(rundir.NodeAddresses, []byte(strings.Join(lines, "\n")), 0o644))
}

// nodeAddresses are those addresses, none as long as the operator hasn't told them.
func (a *Agent) nodeAddresses() []netip.Addr {
	data, err := a.files.Read(rundir.NodeAddresses)
	if err != nil {
		return nil
	}
	var addresses []netip.Addr
	for _, line := range strings.Fields(string(data)) {
		if address, err := netip.ParseAddr(line); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses
}
