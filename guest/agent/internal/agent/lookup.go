package agent

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// lookUp asks the cluster's DNS for a host's IPv4 addresses, for a short time.
func lookUp(host string) []netip.Addr {
	limited, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	resolver := net.Resolver{PreferGo: true}
	addresses, err := resolver.LookupNetIP(limited, "ip4", host+".")
	if err != nil {
		return nil
	}
	return addresses
}
