package serve

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// manifestSize is how large a manifest may be, as a ConfigMap's content may.
const manifestSize = 1 << 20

// HostsHeader is what the operator tells the addresses of the machine's node in, with commas between them.
const HostsHeader = "Twinhull-Host-IPs"

// API answers the operator. `hosts` is told the addresses of the machine's node. `put` takes a manifest, and `stop` that the Pod is to be ended. Both give the answer's code,
// and why in one line.
func API(status func() Status, hosts func([]netip.Addr), put func(data []byte) (code int, why string), stop func() (code int, why string)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(answer http.ResponseWriter, request *http.Request) {
		if told := addresses(request.Header.Get(HostsHeader)); len(told) > 0 {
			hosts(told)
		}
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

// addresses are those in a header, none if one of them is none.
func addresses(header string) []netip.Addr {
	var found []netip.Addr
	for text := range strings.SplitSeq(header, ",") {
		address, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return nil
		}
		found = append(found, address.Unmap())
	}
	return found
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
