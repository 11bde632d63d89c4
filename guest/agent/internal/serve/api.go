package serve

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"twinhull.dev/guest/agent/internal/pki"
	"twinhull.dev/guest/agent/internal/rundir"
)

// manifestSize is how large a manifest may be, as a ConfigMap's content may.
const manifestSize = 1 << 20

// HostsHeader has the addresses of the machine's node, with commas between them. The operator sends it.
const HostsHeader = "Twinhull-Host-IPs"

// Guest is what the API's requests are passed to. Where it gives a code, that is the answer's, and `why` is one line.
type Guest struct {
	// Status is the answer to GET /v1/status.
	Status func() Status
	// SetNodeAddresses is called with the addresses of the machine's node.
	SetNodeAddresses func([]netip.Addr)
	// PutManifest takes another manifest for the running Pod, or refuses it.
	PutManifest func(data []byte) (code int, why string)
	// AskStop has the Pod ended.
	AskStop func() (code int, why string)
}

// API answers the operator, and persons.
func API(guest Guest, access Access) http.Handler {
	mux := http.NewServeMux()
	access.handle(mux)
	mux.Handle("/", onlyOperators(operators(guest, access.Certificate)))
	return mux
}

// operators answers what the operator asks, and tells it the guest's own certificate.
func operators(guest Guest, own *x509.Certificate) http.Handler {
	mux := http.NewServeMux()
	encoded := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Raw}))
	mux.HandleFunc("GET /v1/status", func(answer http.ResponseWriter, request *http.Request) {
		if found := addresses(request.Header.Get(HostsHeader)); len(found) > 0 {
			guest.SetNodeAddresses(found)
		}
		status := guest.Status()
		status.Certificate = encoded
		data, err := json.Marshal(status)
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
		code, why := guest.PutManifest(data)
		reply(answer, code, why)
	})
	mux.HandleFunc("POST /v1/stop", func(answer http.ResponseWriter, _ *http.Request) {
		code, why := guest.AskStop()
		reply(answer, code, why)
	})
	return mux
}

// addresses are those in a header, none if one of them can't be read.
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

// reply answers with a code, and with a line if the request is refused.
func reply(answer http.ResponseWriter, code int, why string) {
	if code >= http.StatusBadRequest {
		http.Error(answer, strings.Join(strings.Fields(why), " "), code)
		return
	}
	answer.WriteHeader(code)
}

// TLS lets only clients of one CA in: the operator, and persons (the function verify). The server's certificate is the one made
// at boot, which it gives, too.
func TLS(clientCA string) (config *tls.Config, certificate *x509.Certificate, err error) {
	pool, err := pki.Pool([]byte(clientCA))
	if err != nil {
		return nil, nil, err
	}
	own, err := pki.Load(rundir.PKI, pki.API)
	if err != nil {
		return nil, nil, err
	}
	certificate, err = x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert, VerifyConnection: verify(pool), ClientCAs: pool,
		NextProtos: []string{"http/1.1"},
	}, certificate, nil
}
