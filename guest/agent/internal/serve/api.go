package serve

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// manifestSize is how large a manifest may be, as a ConfigMap's content may.
const manifestSize = 1 << 20

// API answers the operator. `put` takes a manifest, and `stop` that the Pod is to be ended. Both give the answer's code,
// and why in one line.
func API(status func() Status, put func(data []byte) (code int, why string), stop func() (code int, why string)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(answer http.ResponseWriter, _ *http.Request) {
		data, err := json.Marshal(status())
		if err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		_, _ = answer.Write(data)
	})
	mux.HandleFunc("PUT /v1/manifest", func(answer http.ResponseWriter, request *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, manifestSize))
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		code, why := put(data)
		reply(answer, code, why)
	})
	mux.HandleFunc("POST /v1/stop", func(answer http.ResponseWriter, _ *http.Request) {
		code, why := stop()
		reply(answer, code, why)
	})
	return mux
}

// reply answers without a body if it is done as asked, else with why not.
func reply(answer http.ResponseWriter, code int, why string) {
	if code >= http.StatusBadRequest {
		http.Error(answer, strings.Join(strings.Fields(why), " "), code)
		return
	}
	answer.WriteHeader(code)
}

// TLS lets only clients of one CA in. The server's certificate is the one made at boot.
func TLS(clientCA string) (*tls.Config, error) {
	pool, err := pki.Pool([]byte(clientCA))
	if err != nil {
		return nil, err
	}
	own, err := pki.Load(rundir.PKI, pki.API)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		NextProtos: []string{"http/1.1"},
	}, nil
}
