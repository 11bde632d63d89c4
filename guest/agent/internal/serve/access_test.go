package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// authority signs certificates of clients.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, Subject: pkix.Name{CommonName: "authority"},
	}
	return signed(t, template, authority{})
}

// signed has a certificate signed; by its own key if there is no authority.
func signed(t *testing.T, template *x509.Certificate, by authority) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by.key == nil {
		by = authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

func (a authority) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{a.certificate.Raw}, PrivateKey: a.key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func operatorsTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, Subject: pkix.Name{CommonName: "twinhull operator"},
	}
}

func personsTemplate(fingerprint string, usages ...string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{personsKeyUsage},
		Subject:            pkix.Name{CommonName: "ann", OrganizationalUnit: usages, SerialNumber: fingerprint},
	}
}

// guestOf serves the API of a guest whose certificates are of an authority, and whose kubelet answers with what it was asked.
func guestOf(t *testing.T, clients authority) (address, fingerprint string) {
	t.Helper()
	own := signed(t, &x509.Certificate{SerialNumber: big.NewInt(9), NotAfter: time.Now().Add(time.Hour)}, authority{})
	fingerprint = Fingerprint(own.certificate)
	handler := API(
		Guest{
			Status:      func() Status { return Status{} },
			AskStop:     func() (int, string) { return http.StatusAccepted, "" },
			PutManifest: func([]byte) (int, string) { return http.StatusNoContent, "" },
		},
		Access{
			Certificate: own.certificate,
			Kubelet: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
				fmt.Fprintf(answer, "%s %s", request.Method, request.URL)
			}),
			Endpoint: func(endpoint, container string) string { return "/" + endpoint + "/shop/web/" + container },
		},
	)
	return served(t, handler, clients, own), fingerprint
}

func served(t *testing.T, handler http.Handler, clients, own authority) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(handler)
	config := &tls.Config{
		Certificates: []tls.Certificate{own.pair()}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: verify(clients.pool()),
	}
	go func() { _ = serveOn(server, listener, config) }()
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// ask gives the answer's code and body; a refused connection is code 0.
func ask(t *testing.T, address, method, path string, as *authority) (code int, body string) {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test knows whom it asks
	if as != nil {
		config.Certificates = []tls.Certificate{as.pair()}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(method, "https://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: transport, Timeout: 3 * time.Minute}).Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	data, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(data))
}

// Everything that a guest can be asked, and the usage that it needs; "" is the operator's.
var requests = []struct{ method, path, usage, passed string }{
	{"GET", "/v1/status", "", ""},
	{"PUT", "/v1/manifest", "", ""},
	{"POST", "/v1/stop", "", ""},
	{"GET", "/v1/logs/web?follow=true", "logs", "GET /containerLogs/shop/web/web?follow=true"},
	{"GET", "/v1/exec/web?command=sh&command=-c", "exec", "GET /exec/shop/web/web?command=sh&command=-c"},
	{"POST", "/v1/exec/web?command=sh", "exec", "POST /exec/shop/web/web?command=sh"},
	{"GET", "/v1/attach/web", "attach", "GET /attach/shop/web/web"},
	{"GET", "/v1/port-forward?ports=80", "port-forward", "GET /portForward/shop/web/?ports=80"},
}

func TestACertificateDoesWhatItNamesAndNothingElse(t *testing.T) {
	clients := newAuthority(t)
	address, fingerprint := guestOf(t, clients)
	usages := []string{"logs", "exec", "attach", "port-forward"}
	for _, usage := range usages {
		person := signed(t, personsTemplate(fingerprint, usage), clients)
		for _, one := range requests {
			code, body := ask(t, address, one.method, one.path, &person)
			switch {
			case one.usage == usage && (code != 200 || body != one.passed):
				t.Errorf("%s %s with %s: %d %s", one.method, one.path, usage, code, body)
			case one.usage != usage && code != 403:
				t.Errorf("%s %s with %s only: %d %s", one.method, one.path, usage, code, body)
			}
		}
	}
	operator := signed(t, operatorsTemplate(), clients)
	for _, one := range requests {
		if code, body := ask(t, address, one.method, one.path, &operator); (code == 403) != (one.usage != "") {
			t.Errorf("%s %s as the operator: %d %s", one.method, one.path, code, body)
		}
	}
	all := signed(t, personsTemplate(fingerprint, usages...), clients)
	for _, path := range []string{"/v1/run/web", "/v1/exec/", "/v1/exec/web/x", "/v1", "/", "/exec/shop/web/web", "/v1/logs/..%2f..%2fpods", "/v1/exec/WEB"} {
		if code, body := ask(t, address, "GET", path, &all); code != 403 && code != 404 {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestNobodyElseIsLetIn(t *testing.T) {
	clients := newAuthority(t)
	address, fingerprint := guestOf(t, clients)
	changed := func(change func(*x509.Certificate)) authority {
		template := personsTemplate(fingerprint, "exec")
		change(template)
		return signed(t, template, clients)
	}
	middle := signed(t, &x509.Certificate{
		SerialNumber: big.NewInt(4), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		Subject: pkix.Name{CommonName: "middle"},
	}, clients)
	for name, who := range map[string]authority{
		"of another Workload's authority": signed(t, personsTemplate(fingerprint, "exec"), newAuthority(t)),
		"of nobody":                       signed(t, personsTemplate(fingerprint, "exec"), authority{}),
		"of one that a client signed":     signed(t, personsTemplate(fingerprint, "exec"), changed(func(*x509.Certificate) {})),
		"of one between":                  signed(t, personsTemplate(fingerprint, "exec"), middle),
		"expired":                         changed(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		"not good yet":                    changed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
		"of no kind":                      changed(func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }),
		"of both kinds":                   changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
		"a server's": changed(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}),
	} {
		if code, body := ask(t, address, "GET", "/v1/exec/web", &who); code != 0 {
			t.Errorf("a certificate %s: %d %s", name, code, body)
		}
	}
	if code, body := ask(t, address, "GET", "/v1/status", nil); code != 0 {
		t.Errorf("without a certificate: %d %s", code, body)
	}
}

func TestACertificateIsForOneBootOfOneMachine(t *testing.T) {
	clients := newAuthority(t)
	_, earlier := guestOf(t, clients)
	address, _ := guestOf(t, clients)
	for _, fingerprint := range []string{earlier, ""} {
		person := signed(t, personsTemplate(fingerprint, "exec"), clients)
		if code, body := ask(t, address, "GET", "/v1/exec/web", &person); code != 403 || !strings.Contains(body, "earlier boot") {
			t.Errorf("with fingerprint %q: %d %s", fingerprint, code, body)
		}
	}
}

// An earlier guest asks for what crypto/tls itself does.
func TestAnEarlierGuestLetsNoPersonIn(t *testing.T) {
	clients := newAuthority(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.pool()}
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	person, operator := signed(t, personsTemplate("", "exec"), clients), signed(t, operatorsTemplate(), clients)
	if code, body := ask(t, address, "GET", "/", &person); code != 0 {
		t.Errorf("a person: %d %s", code, body)
	}
	if code, body := ask(t, address, "GET", "/", &operator); code != 404 {
		t.Errorf("the operator: %d %s", code, body)
	}
}

func TestThereAreOnlySoManyStreams(t *testing.T) {
	goOn := make(chan struct{})
	access := Access{
		Kubelet:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-goOn }),
		Endpoint: func(string, string) string { return "/exec" },
	}
	under := make(chan struct{}, streams)
	handler := access.stream(under, "exec")
	ask := func() int {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		return answer.Code
	}
	ended := make(chan int)
	for range streams {
		go func() { ended <- ask() }()
	}
	for len(under) < streams {
		time.Sleep(time.Millisecond)
	}
	if code := ask(); code != http.StatusTooManyRequests {
		t.Errorf("one more: %d", code)
	}
	close(goOn)
	for range streams {
		if code := <-ended; code != 200 {
			t.Errorf("%d", code)
		}
	}
	if code := ask(); code != 200 {
		t.Errorf("after the others have ended: %d", code)
	}
}

func TestWithoutAPodThereIsNothingToReach(t *testing.T) {
	access := Access{Endpoint: func(string, string) string { return "" }}
	answer := httptest.NewRecorder()
	access.stream(make(chan struct{}, 1), "exec").ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if answer.Code != 503 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
