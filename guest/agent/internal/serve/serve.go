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

// KeepServing serves on a port of all addresses, and tries again if it can't: a container may have taken the port.
// With a TLS configuration it serves TLS. `failed` is called with the error that each try ended with.
func KeepServing(port int, config *tls.Config, handler http.Handler, failed func(error)) {
	for ; ; time.Sleep(2 * time.Second) {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			failed(err)
			continue
		}
		failed(serveOn(newServer(handler), listener, config))
	}
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 20 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
}

// serveOn serves on a listener. Its connections have places of their own, apart from those of other ports.
func serveOn(server *http.Server, listener net.Listener, config *tls.Config) error {
	places := &places{Listener: listener}
	server.ConnState = places.note
	if config != nil {
		return server.Serve(tls.NewListener(places, config))
	}
	return server.Serve(places)
}
