// Package pki makes the certificates of this machine's own, at boot. Their keys never leave it.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"twinhull.dev/guest/agent/internal/rundir"
)

// Names of the files in the folder. The CA's key isn't kept.
const (
	CA     = "ca.crt"
	Server = "kubelet"
	Client = "agent"
	API    = "api"
)

// validity is longer than a machine lives. Clocks of hosts differ, so it starts early.
const (
	validity = 20 * 365 * 24 * time.Hour
	early    = 24 * time.Hour
)

// Make writes a CA, and certificates of it for the kubelet's server and the agent's client; and one for the
// agent's API that nobody signed. Those that are there already stay.
func Make(folder string) error {
	if rundir.Exists(filepath.Join(folder, CA)) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authority := template("twinhull-guest")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return err
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	for _, pair := range []struct {
		name, subject string
		usage         x509.ExtKeyUsage
		parent        *x509.Certificate
	}{
		{Server, "kubelet", x509.ExtKeyUsageServerAuth, authority},
		{Client, "twinhull-agent", x509.ExtKeyUsageClientAuth, authority},
		{API, "twinhull-guest", x509.ExtKeyUsageServerAuth, nil},
	} {
		certificate := template(pair.subject)
		certificate.ExtKeyUsage, certificate.IPAddresses = []x509.ExtKeyUsage{pair.usage}, loopback
		if err := issue(folder, pair.name, certificate, pair.parent, key); err != nil {
			return fmt.Errorf("making certificate %s: %w", pair.name, err)
		}
	}
	// Last, since its presence says that all are there.
	return rundir.Write(filepath.Join(folder, CA), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600)
}

func template(subject string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: subject}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-early), NotAfter: time.Now().Add(validity),
	}
}

// issue writes a key and its certificate: the parent's, or the key's own if there is no parent.
func issue(folder, name string, certificate, parent *x509.Certificate, authority *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if parent == nil {
		parent, authority = certificate, key
	}
	signed, err := x509.CreateCertificate(rand.Reader, certificate, parent, key.Public(), authority)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	file := filepath.Join(folder, name)
	if err := rundir.Write(file+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return rundir.Write(file+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600)
}

// Load reads a certificate with its key.
func Load(folder, name string) (tls.Certificate, error) {
	file := filepath.Join(folder, name)
	return tls.LoadX509KeyPair(file+".crt", file+".key")
}

// Pool is a set of CAs in PEM.
func Pool(pems []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pems) {
		return nil, fmt.Errorf("there is no certificate in it")
	}
	return pool, nil
}
