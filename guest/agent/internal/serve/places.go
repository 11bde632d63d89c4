package serve

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
)

// Anybody who reaches a port may connect, and the readiness probe and the operator are to be answered meanwhile. So where there are
// too many connections, the oldest gives way to the new one: who never ends a request keeps nobody out.
const (
	// strangers is how many connections a port has at once whose clients haven't shown a certificate: so many that none gives way
	// before it could be answered, though others come as fast as they are accepted.
	strangers = 256
	// knownClients is how many it has of clients that have shown one, of which only an idle one gives way.
	knownClients = 64
	// mostClients is how many it has of them if all are in use, as each connection of a port-forward is.
	mostClients = 128
)

// places are a port's connections. Where clients show no certificate, as on the probe's port, all stay strangers.
type places struct {
	net.Listener
	lock      sync.Mutex
	strangers []*connection // the oldest first
	known     []*connection // the oldest first
}

// connection is one that has a place.
type connection struct {
	net.Conn
	places *places
	isIdle bool
}

// Accept gives the next connection, for which the oldest stranger gives way if there are too many.
func (p *places) Accept() (net.Conn, error) {
	accepted, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	added := &connection{Conn: accepted, places: p}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.strangers = append(p.strangers, added)
	if len(p.strangers) > strangers {
		p.strangers[0].Conn.Close()
		p.strangers = p.strangers[1:]
	}
	return added, nil
}

// Close gives the place back.
func (c *connection) Close() error {
	c.places.lock.Lock()
	defer c.places.lock.Unlock()
	isOther := func(other *connection) bool { return other == c }
	c.places.strangers = slices.DeleteFunc(c.places.strangers, isOther)
	c.places.known = slices.DeleteFunc(c.places.known, isOther)
	return c.Conn.Close()
}

// note is told what becomes of a connection (http.Server.ConnState). A TLS connection is active once its handshake is over, and
// with it the look at the client's certificate (verify), and a request begins.
func (p *places) note(conn net.Conn, state http.ConnState) {
	encrypted, isTLS := conn.(*tls.Conn)
	if !isTLS {
		return
	}
	noted, isOurs := encrypted.NetConn().(*connection)
	if !isOurs || state != http.StateActive && state != http.StateIdle {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	noted.isIdle = state == http.StateIdle
	place := slices.Index(p.strangers, noted)
	if place < 0 {
		return
	}
	p.strangers = slices.Delete(p.strangers, place, place+1)
	p.known = append(p.known, noted)
	if len(p.known) > knownClients {
		p.dropKnown()
	}
}

// dropKnown has the oldest idle connection of a known client give way, or the oldest of all if none is idle and there are too
// many. The lock is held.
func (p *places) dropKnown() {
	oldest := slices.IndexFunc(p.known, func(known *connection) bool { return known.isIdle })
	if oldest < 0 {
		if len(p.known) <= mostClients {
			return
		}
		oldest = 0
	}
	p.known[oldest].Conn.Close()
	p.known = slices.Delete(p.known, oldest, oldest+1)
}
