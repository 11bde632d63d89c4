package serve

import (
	"crypto/tls"
	"encoding/json"
	"net/http"

	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// API answers the operator.
func API(status func() Status) http.Handler {
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
	return mux
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
