package serve

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

func TestProbe(t *testing.T) {
	var addresses []netip.Addr
	ready, why := false, "container web:\n CrashLoopBackOff"
	handler := Probe("secret", func() (bool, string) { return ready, why }, func(address netip.Addr) { addresses = append(addresses, address) })
	ask := func(path, token, host string) (int, string) {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Host = host
		if token != "" {
			request.Header.Set("Twinhull-Probe", token)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer.Code, answer.Body.String()
	}
	for _, token := range []string{"", "wrong", "secret2"} {
		if code, body := ask("/readyz", token, "10.244.0.9:65254"); code != 403 || body != "" {
			t.Errorf("token %q: %d %q", token, code, body)
		}
	}
	if addresses != nil {
		t.Errorf("somebody without the token set the address %v", addresses)
	}
	if code, body := ask("/readyz", "secret", "10.244.0.9:65254"); code != 503 || body != "container web: CrashLoopBackOff\n" {
		t.Errorf("%d %q", code, body)
	}
	ready, why = true, "the Pod is ready"
	if code, body := ask("/readyz", "secret", "localhost:65254"); code != 200 || body != "the Pod is ready\n" {
		t.Errorf("%d %q", code, body)
	}
	if len(addresses) != 1 || addresses[0] != netip.MustParseAddr("10.244.0.9") {
		t.Errorf("got %v", addresses)
	}
	if code, _ := ask("/else", "secret", "x"); code != 404 {
		t.Errorf("%d", code)
	}
}

func TestHostAddress(t *testing.T) {
	for host, want := range map[string]string{
		"10.244.0.9:65254": "10.244.0.9", "10.244.0.9": "10.244.0.9", "[fd00::1]:65254": "fd00::1", "[fd00::1]": "fd00::1",
		"::ffff:10.0.0.1": "10.0.0.1", "127.0.0.1:1": "", "0.0.0.0:1": "", "web:80": "", "": "", "224.0.0.1": "",
	} {
		got, ok := hostAddress(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: got %v, %v", host, got, ok)
		}
	}
}

func TestAPI(t *testing.T) {
	handler := operators(Guest{Status: func() Status {
		return Status{Version: "1", Error: "e", Final: true, Stop: "asked", Manifest: "abc", Pod: kube.Object{"status": kube.Object{"count": json.Number("3")}}}
	}}, &x509.Certificate{Raw: []byte("der")})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/status", nil))
	if want := `{"version":"1","error":"e","final":true,"stop":"asked","manifest":"abc","lacking":false,"certificate":"-----BEGIN CERTIFICATE-----\nZGVy\n-----END CERTIFICATE-----\n","pod":{"status":{"count":3}}}`; answer.Code != 200 || answer.Body.String() != want {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	for method, path := range map[string]string{http.MethodPost: "/v1/status", http.MethodGet: "/v1/else"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		if answer.Code == 200 {
			t.Errorf("%s %s is answered", method, path)
		}
	}
}

func TestAManifestIsPut(t *testing.T) {
	var taken []byte
	code, why := http.StatusNoContent, ""
	handler := operators(Guest{PutManifest: func(data []byte) (int, string) { taken = data; return code, why }}, &x509.Certificate{})
	put := func(body string) (int, string) {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPut, "/v1/manifest", strings.NewReader(body)))
		return answer.Code, answer.Body.String()
	}
	if code, body := put("{}"); code != 204 || body != "" || string(taken) != "{}" {
		t.Errorf("%d %q, taken %q", code, body, taken)
	}
	code, why = http.StatusConflict, "pod.spec differs:\nreplace it"
	if code, body := put("{}"); code != 409 || body != "pod.spec differs: replace it\n" {
		t.Errorf("%d %q", code, body)
	}
	taken, code = nil, http.StatusNoContent
	if code, _ := put(strings.Repeat(" ", manifestSize)); code != 204 || len(taken) != manifestSize {
		t.Errorf("%d, taken %d", code, len(taken))
	}
	taken = nil
	if code, body := put(strings.Repeat(" ", manifestSize+1)); code != 400 || strings.Count(body, "\n") != 1 || taken != nil {
		t.Errorf("%d %q, taken %d", code, body, len(taken))
	}
}

func TestAPodIsAskedToStop(t *testing.T) {
	asked, code, why := 0, http.StatusAccepted, ""
	handler := operators(Guest{AskStop: func() (int, string) { asked++; return code, why }}, &x509.Certificate{})
	ask := func(method, body string) (int, string) {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(method, "/v1/stop", strings.NewReader(body)))
		return answer.Code, answer.Body.String()
	}
	if code, body := ask(http.MethodPost, ""); code != 202 || body != "" || asked != 1 {
		t.Errorf("%d %q, asked %d times", code, body, asked)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		if code, _ := ask(method, ""); code != 405 || asked != 1 {
			t.Errorf("%s: %d, asked %d times", method, code, asked)
		}
	}
	code, why = http.StatusServiceUnavailable, "no space\nleft"
	if code, body := ask(http.MethodPost, "{}"); code != 503 || body != "no space left\n" {
		t.Errorf("%d %q", code, body)
	}
}

func TestTheNodesAddressesAreTold(t *testing.T) {
	var addresses []netip.Addr
	handler := operators(Guest{
		Status: func() Status { return Status{} }, SetNodeAddresses: func(found []netip.Addr) { addresses = found },
	}, &x509.Certificate{})
	for header, want := range map[string]string{
		"":                        "[]",
		"10.0.0.7":                "[10.0.0.7]",
		"10.0.0.7, fd00::7":       "[10.0.0.7 fd00::7]",
		"::ffff:10.0.0.7":         "[10.0.0.7]",
		"10.0.0.7,nonsense":       "[]",
		"node-1":                  "[]",
		"10.0.0.7,":               "[]",
		"10.0.0.7\r\nHost: other": "[]",
	} {
		addresses = nil
		request := httptest.NewRequest(http.MethodGet, "/v1/status", nil)
		request.Header.Set("twinhull-host-ips", header)
		handler.ServeHTTP(httptest.NewRecorder(), request)
		if got := fmt.Sprint(addresses); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
