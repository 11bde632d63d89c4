package kubelet

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// answerSize bounds what is read of an answer.
const answerSize = 16 << 20

// Client asks the kubelet for its Pods.
type Client struct{ http *http.Client }

// NewClient gives a client that trusts the machine's own CA, and has a certificate of it, as the kubelet does.
func NewClient() (*Client, error) {
	transport, err := newTransport()
	if err != nil {
		return nil, err
	}
	return &Client{&http.Client{Timeout: 10 * time.Second, Transport: transport}}, nil
}

// NewProxy gives a handler that passes a request on to the kubelet under the same path, as the agent, and goes over to
// another protocol if both sides want that.
func NewProxy() (http.Handler, error) {
	transport, err := newTransport()
	if err != nil {
		return nil, err
	}
	server := &url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", Port)}
	return &httputil.ReverseProxy{
		Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(server) },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
		ErrorHandler: func(answer http.ResponseWriter, _ *http.Request, err error) {
			http.Error(answer, fmt.Sprintf("the machine's kubelet doesn't answer: %v", err), http.StatusBadGateway)
		},
	}, nil
}

func newTransport() (*http.Transport, error) {
	own, err := pki.Load(rundir.PKI, pki.Client)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(rundir.PKI, pki.CA))
	if err != nil {
		return nil, err
	}
	pool, err := pki.Pool(authority)
	if err != nil {
		return nil, err
	}
	return &http.Transport{TLSClientConfig: &tls.Config{
		Certificates: []tls.Certificate{own}, RootCAs: pool, MinVersion: tls.VersionTLS13,
	}}, nil
}

// Pods are those that the kubelet runs, with their status.
func (c *Client) Pods() ([]kube.Object, error) { return c.pods("/pods") }

// Running are the Pods that the runtime has containers of, even if the kubelet isn't to run them any more.
func (c *Client) Running() ([]kube.Object, error) { return c.pods("/runningpods/") }

func (c *Client) pods(path string) ([]kube.Object, error) {
	answer, err := c.http.Get(fmt.Sprintf("https://127.0.0.1:%d%s", Port, path))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, answerSize))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the kubelet answers %s: %.200s", answer.Status, data)
	}
	var list kube.Object
	if err := kube.Decode(data, &list); err != nil {
		return nil, err
	}
	return kube.List(list, "items"), nil
}
