// Package serve answers what the guest is asked: its readiness, its Pod's status, to run another manifest, and to end
// the Pod.
package serve

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"twinhull.dev/guest/agent/internal/kube"
)

// Status is the answer of /v1/status.
type Status struct {
	Version string `json:"version"`
	Error   string `json:"error"`
	Final   bool   `json:"final"`
	// Stop is how far the Pod's end is that the operator asked for: "none", "asked" or "done".
	Stop string `json:"stop"`
	// Manifest is the digest of the manifest that is in effect, "" before the first one is.
	Manifest string `json:"manifest"`
	// Lacking tells whether the manifest on the disk isn't the one that the machine was made for, and the operator hasn't put
	// that yet.
	Lacking bool `json:"lacking"`
	// Certificate is the guest's own (PEM). Persons check it, and theirs are bound to it.
	Certificate string      `json:"certificate"`
	Pod         kube.Object `json:"pod"`
}

// connections is how many a port has at once; more wait. Idle ones end by themselves.
const connections = 64

// KeepServing serves on a port of all addresses, and tries again if it can't: a container may have taken the port.
// With a TLS configuration it serves TLS. `failed` is called with the error that each try ended with.
func KeepServing(port int, config *tls.Config, handler http.Handler, failed func(error)) {
	server := newServer(handler)
	for ; ; time.Sleep(2 * time.Second) {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			failed(err)
			continue
		}
		failed(server.Serve(limited(listener, config)))
	}
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 20 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
}

func limited(listener net.Listener, config *tls.Config) net.Listener {
	listener = netutil.LimitListener(listener, connections)
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	return listener
}
