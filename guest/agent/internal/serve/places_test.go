package serve

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"testing"
	"time"
)

// dial connects, and says nothing.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// isCut tells whether the server ends a connection, or waits for as long as `patience`.
func isCut(connection net.Conn, patience time.Duration) bool {
	_ = connection.SetReadDeadline(time.Now().Add(patience))
	_, err := connection.Read(make([]byte, 1))
	timeout, _ := err.(net.Error)
	return err != nil && (timeout == nil || !timeout.Timeout())
}

// listening gives a listener, and a server whose connections may take as long as they like: a busy machine is slow.
func listening(t *testing.T, handler http.Handler) (net.Listener, *http.Server) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(handler)
	server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = 0, 0, 0
	t.Cleanup(func() { server.Close() })
	return listener, server
}

func TestConnectionsThatSayNothingKeepNoProbeOut(t *testing.T) {
	listener, server := listening(t, http.NotFoundHandler())
	go func() { _ = serveOn(server, listener, nil) }()
	var idle []net.Conn
	for range strangers {
		idle = append(idle, dial(t, listener.Addr().String()))
	}
	answer, err := (&http.Client{Timeout: 3 * time.Minute}).Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if !isCut(idle[0], 3*time.Minute) {
		t.Error("the oldest connection hasn't given way")
	}
	if isCut(idle[1], 10*time.Millisecond) {
		t.Error("more than one connection has given way")
	}
}

func TestStrangersDontCutOffWhoHasShownACertificate(t *testing.T) {
	clients := newAuthority(t)
	operator := signed(t, operatorsTemplate(), clients)
	begun, ends := make(chan struct{}), make(chan struct{})
	listener, server := listening(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-ends }))
	own := signed(t, &x509.Certificate{SerialNumber: operator.certificate.SerialNumber, NotAfter: time.Now().Add(time.Hour)}, authority{})
	config := &tls.Config{
		Certificates: []tls.Certificate{own.pair()}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: verify(clients.pool()),
	}
	go func() { _ = serveOn(server, listener, config) }()

	code := make(chan int, 1)
	go func() {
		answered, _ := ask(t, listener.Addr().String(), http.MethodGet, "/v1/status", &operator)
		code <- answered
	}()
	<-begun
	for range 2 * strangers {
		dial(t, listener.Addr().String())
	}
	last := dial(t, listener.Addr().String())
	if isCut(last, 10*time.Millisecond) {
		t.Error("the newest connection has given way")
	}
	close(ends)
	if got := <-code; got != http.StatusOK {
		t.Errorf("the operator's request ends with %d", got)
	}
}

// addKnown gives so many connections of clients that have shown a certificate a place, each idle or in use. These are the clients' ends.
func (p *places) addKnown(t *testing.T, count int, isIdle func(int) bool) []net.Conn {
	t.Helper()
	all := make([]net.Conn, count)
	for i := range all {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { theirs.Close() })
		all[i] = theirs
		added := &connection{Conn: ours, places: p}
		p.strangers = append(p.strangers, added)
		encrypted := tls.Server(added, &tls.Config{})
		p.note(encrypted, http.StateActive)
		if isIdle(i) {
			p.note(encrypted, http.StateIdle)
		}
	}
	return all
}

func TestOfThoseWhoHaveShownACertificateTheOldestIdleOneGivesWay(t *testing.T) {
	p := &places{}
	all := p.addKnown(t, knownClients+1, func(i int) bool { return i > 0 }) // the first is asked something that takes long
	if isCut(all[0], 10*time.Millisecond) || !isCut(all[1], time.Minute) || len(p.known) != knownClients || len(p.strangers) != 0 {
		t.Errorf("%d known clients and %d strangers have a place", len(p.known), len(p.strangers))
	}
	p.known[0].Close()
	if len(p.known) != knownClients-1 {
		t.Error("a connection that has ended keeps its place")
	}
}

func TestConnectionsInUseHaveALimitToo(t *testing.T) {
	p := &places{}
	all := p.addKnown(t, mostClients+1, func(int) bool { return false })
	if !isCut(all[0], time.Minute) || isCut(all[1], 10*time.Millisecond) || isCut(all[mostClients], 10*time.Millisecond) {
		t.Error("the oldest connection hasn't given way, or another one has")
	}
	if len(p.known) != mostClients {
		t.Errorf("%d known clients have a place", len(p.known))
	}
}
