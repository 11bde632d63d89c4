package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// queryLimit is how long one question may take.
	queryLimit = 3 * time.Second
	// silentLimit is how long a name server may give no answer; the last question is over after 20 s.
	silentLimit = 20*time.Second - queryLimit
	// failingLimit is how long a name server may answer that it can't tell, or not be there.
	failingLimit = 5 * time.Second
)

// lookUp asks the cluster's DNS for a host's IPv4 addresses, for a short time.
func lookUp(host string) ([]netip.Addr, error) {
	limited, cancel := context.WithTimeout(context.Background(), queryLimit)
	defer cancel()
	resolver := net.Resolver{PreferGo: true}
	return resolver.LookupNetIP(limited, "ip4", host+".")
}

// isWorthAsking tells whether the DNS may still tell a host's address, after it has been asked for so long. If it says that
// there is no such host, there is none; any other failure may pass.
func isWorthAsking(err error, asked time.Duration) bool {
	var failed *net.DNSError
	switch {
	case !errors.As(err, &failed) || failed.IsNotFound:
		return false
	case failed.IsTimeout:
		return asked < silentLimit
	}
	return asked < failingLimit
}
