package serve

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// tokenHeader carries the probe's token, which keeps others from telling the machine its address.
const tokenHeader = "Twinhull-Probe"

// Probe answers the VMI's readiness probe: 200 while the Pod is ready, else 503 and why. `setAddress` is called with the
// address that the cluster knows the machine by, from the Host header that a node's kubelet sends
// (pkg/probe/http/request.go).
func Probe(token string, ready func() (bool, string), setAddress func(netip.Addr)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
		given := request.Header.Get(tokenHeader)
		if token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			answer.WriteHeader(http.StatusForbidden)
			return
		}
		if address, ok := hostAddress(request.Host); ok {
			setAddress(address)
		}
		is, why := ready()
		if !is {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(answer, strings.Join(strings.Fields(why), " "))
	})
	return mux
}

// hostAddress is the address in a Host header, if it is one that a machine can have.
func hostAddress(host string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(host); err == nil {
		host = both.Addr().String()
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || address.IsLoopback() || address.IsUnspecified() || address.IsMulticast() {
		return netip.Addr{}, false
	}
	return address.Unmap(), true
}
