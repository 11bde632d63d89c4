package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// trying is how long one question may take.
	trying = 3 * time.Second
	// silent is how long a name server may say nothing; the last question is over after 20 s.
	silent = 20*time.Second - trying
	// unable is how long it may say that it can't tell, or not be there.
	unable = 5 * time.Second
)

// lookUp asks the cluster's DNS for a host's IPv4 addresses, for a short time.
func lookUp(host string) ([]netip.Addr, error) {
	limited, cancel := context.WithTimeout(context.Background(), trying)
	defer cancel()
	resolver := net.Resolver{PreferGo: true}
	return resolver.LookupNetIP(limited, "ip4", host+".")
}

// mayYetTell tells whether the DNS is worth asking again that is being asked for so long: a host that it says
// isn't there isn't, but any other failure may pass.
func mayYetTell(err error, asked time.Duration) bool {
	var failed *net.DNSError
	switch {
	case !errors.As(err, &failed) || failed.IsNotFound:
		return false
	case failed.IsTimeout:
		return asked < silent
	}
	return asked < unable
}
