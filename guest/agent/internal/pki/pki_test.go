package pki

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
)

func TestKubeletAndAgentKnowEachOtherAndNobodyElse(t *testing.T) {
	folder := t.TempDir()
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(folder, CA))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := Pool(authority)
	if err != nil {
		t.Fatal(err)
	}
	load := func(name string) []tls.Certificate {
		pair, err := Load(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{pair}
	}
	server := &tls.Config{Certificates: load(Server), ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	for name, want := range map[string]bool{Client: true, API: false, Server: false} {
		client := &tls.Config{Certificates: load(name), RootCAs: pool, ServerName: "127.0.0.1"}
		if err := shake(t, server, client); (err == nil) != want {
			t.Errorf("as %s: %v", name, err)
		}
	}
	if err := shake(t, &tls.Config{Certificates: load(API)}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}); err == nil {
		t.Error("the API's certificate passes for the kubelet's")
	}
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(filepath.Join(folder, CA)); string(again) != string(authority) {
		t.Error("another agent makes other certificates")
	}
}

// shake is a TLS handshake, and a byte after it: TLS 1.3 tells a client of a refusal only then.
func shake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := tls.Listen("unix", socket, server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if there, err := listener.Accept(); err == nil {
			_, _ = there.Write([]byte{0})
			there.Close()
		}
	}()
	here, err := tls.Dial("unix", socket, client)
	if err != nil {
		return err
	}
	defer here.Close()
	_, err = here.Read(make([]byte, 1))
	return err
}

func TestPoolRefusesWhatIsNoCertificate(t *testing.T) {
	if _, err := Pool([]byte("nothing")); err == nil {
		t.Error("no error")
	}
}
