package serve

import (
	"crypto/x509"
	"net/http"
	"regexp"
	"time"
)

// streams is how many logs, commands and forwarded ports go on at once. The operator's requests have the rest of the port's
// connections.
const streams = 32

// containerName is how a container can be called: a label of DNS (RFC 1123). Anything else could lead elsewhere in the kubelet.
var containerName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Access is what a person's requests are passed to: the handlers of the kubelet's own endpoints, for this machine's Pod.
type Access struct {
	// Certificate is the API's own, made at this boot.
	Certificate *x509.Certificate
	// Kubelet answers a request whose path is that of the kubelet's own endpoint.
	Kubelet http.Handler
	// Endpoint is the kubelet's path for an endpoint and a container, "" as long as there is no Pod.
	Endpoint func(endpoint, container string) string
}

// handle adds the paths of persons to the API. Each is one of the kubelet's (pkg/kubelet/server/server.go) without the names
// of namespace and Pod: the machine has one Pod.
func (a Access) handle(mux *http.ServeMux) {
	fingerprint := Fingerprint(a.Certificate)
	under := make(chan struct{}, streams)
	for _, one := range []struct {
		usage    Usage
		path     string
		endpoint string
	}{
		{Logs, "GET /v1/logs/{container}", "containerLogs"},
		{Exec, "/v1/exec/{container}", "exec"},
		{Attach, "/v1/attach/{container}", "attach"},
		{PortForward, "/v1/port-forward", "portForward"},
	} {
		mux.Handle(one.path, onlyPersons(one.usage, fingerprint, a.stream(under, one.endpoint)))
	}
}

// stream passes a request on to an endpoint of the kubelet for as long as both sides like. There are `streams` at most.
func (a Access) stream(under chan struct{}, endpoint string) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		select {
		case under <- struct{}{}:
			defer func() { <-under }()
		default:
			reply(answer, http.StatusTooManyRequests, "too many logs, commands and forwarded ports go on at once: end one of them")
			return
		}
		container := request.PathValue("container")
		if container != "" && !containerName.MatchString(container) {
			reply(answer, http.StatusNotFound, "no container can have that name")
			return
		}
		path := a.Endpoint(endpoint, container)
		if path == "" {
			reply(answer, http.StatusServiceUnavailable, "the machine has no Pod yet")
			return
		}
		control := http.NewResponseController(answer)
		_, _ = control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})
		passed := request.Clone(request.Context())
		passed.URL.Path, passed.URL.RawPath = path, ""
		a.Kubelet.ServeHTTP(answer, passed)
	})
}
