package serve

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Usage is what a person's certificate lets its holder do.
type Usage string

// The usages. A certificate names them as its subject's organizational units.
const (
	Logs        Usage = "logs"
	Exec        Usage = "exec"
	Attach      Usage = "attach"
	PortForward Usage = "port-forward"
)

// personsKeyUsage marks a person's certificate: id-kp-secureShellClient (RFC 6187, 2.2.3). The operator's has clientAuth
// instead. A guest that knows of no persons asks for clientAuth, so that it lets none of them in.
var personsKeyUsage = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 21}

// Fingerprint is the sha256 of a certificate's DER, in hex.
func Fingerprint(certificate *x509.Certificate) string {
	digest := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(digest[:])
}

// verify lets in whoever has a certificate of one authority, be it the operator's or a person's. crypto/tls itself takes
// only those with clientAuth.
func verify(pool *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("a client certificate is required")
		}
		own := state.PeerCertificates[0]
		if isOperators(own) == isPersons(own) {
			return errors.New("the client certificate is neither the operator's nor a person's")
		}
		_, err := own.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
}

func isOperators(certificate *x509.Certificate) bool {
	return slices.Contains(certificate.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
}

func isPersons(certificate *x509.Certificate) bool {
	return slices.ContainsFunc(certificate.UnknownExtKeyUsage, personsKeyUsage.Equal)
}

// onlyOperators passes on what the operator asks, and answers everybody else with 403.
func onlyOperators(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if own := caller(request); own == nil || !isOperators(own) {
			reply(answer, http.StatusForbidden, "only the operator may ask this")
			return
		}
		handler.ServeHTTP(answer, request)
	})
}

// onlyPersons passes on what a person with that usage asks of the guest with that fingerprint, and answers everybody else
// with 403. A certificate was made for one boot of one machine, and so does nothing on the next one.
func onlyPersons(usage Usage, fingerprint string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if why := refuses(caller(request), usage, fingerprint); why != "" {
			reply(answer, http.StatusForbidden, why)
			return
		}
		handler.ServeHTTP(answer, request)
	})
}

func refuses(own *x509.Certificate, usage Usage, fingerprint string) string {
	switch {
	case own == nil || !isPersons(own):
		return "only a person with a certificate for it may do this"
	case own.Subject.SerialNumber != fingerprint:
		return "the certificate was made for another machine, or for an earlier boot of this one: ask for another one"
	case !slices.Contains(own.Subject.OrganizationalUnit, string(usage)):
		return fmt.Sprintf("the certificate doesn't have the usage %s: ask for one that has it", usage)
	}
	return ""
}

func caller(request *http.Request) *x509.Certificate {
	if request.TLS == nil || len(request.TLS.PeerCertificates) == 0 {
		return nil
	}
	return request.TLS.PeerCertificates[0]
}
