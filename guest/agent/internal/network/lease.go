// Package network gives the machine its address, by DHCP as KubeVirt serves it.
package network

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Lease is what DHCP gave, as far as the machine uses it.
type Lease struct {
	Interface   string       `json:"interface"`
	Address     netip.Prefix `json:"address"`
	Routes      []Route      `json:"routes"`
	MTU         int          `json:"mtu,omitempty"`
	Nameservers []netip.Addr `json:"nameservers"`
	Search      []string     `json:"search"`
}

// Route is a way to a network; without a gateway the network is on the link.
type Route struct {
	To      netip.Prefix `json:"to"`
	Gateway netip.Addr   `json:"gateway,omitzero"`
}

// wanted is what the server is asked for. KubeVirt's is pkg/network/dhcp/server/server.go.
var wanted = []dhcpv4.OptionCode{
	dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionInterfaceMTU,
	dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName, dhcpv4.OptionDNSDomainSearchList,
}

// read makes a lease of a server's answer.
func read(link string, ack *dhcpv4.DHCPv4) (Lease, error) {
	address, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	if !ok || address.IsUnspecified() {
		return Lease{}, fmt.Errorf("the DHCP server gave no address: %s", ack.Summary())
	}
	bits := 32
	if mask := ack.SubnetMask(); mask != nil {
		bits, _ = mask.Size()
	}
	lease := Lease{
		Interface: link, Address: netip.PrefixFrom(address, bits), Routes: routes(ack),
		Nameservers: addresses(ack.DNS()), Search: search(ack),
	}
	if mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, ack.Options); err == nil {
		lease.MTU = int(mtu)
	}
	return lease, nil
}

// routes are the classless ones, or else one to the router: with the former the latter is to be ignored
// (RFC 3442, DHCP Client Behavior).
func routes(ack *dhcpv4.DHCPv4) []Route {
	var found []Route
	for _, route := range ack.ClasslessStaticRoute() {
		to, ok := netip.AddrFromSlice(route.Dest.IP.To4())
		if !ok {
			continue
		}
		bits, _ := route.Dest.Mask.Size()
		gateway, _ := netip.AddrFromSlice(route.Router.To4())
		if gateway.IsUnspecified() {
			gateway = netip.Addr{}
		}
		found = append(found, Route{To: netip.PrefixFrom(to, bits), Gateway: gateway})
	}
	if found != nil {
		// A gateway may be reached by another of the routes: those on the link come first.
		slices.SortStableFunc(found, func(a, b Route) int { return b.To.Bits() - a.To.Bits() })
		slices.SortStableFunc(found, func(a, b Route) int { return number(a.Gateway.IsValid()) - number(b.Gateway.IsValid()) })
		return found
	}
	for _, gateway := range addresses(ack.Router()) {
		return []Route{{To: netip.MustParsePrefix("0.0.0.0/0"), Gateway: gateway}}
	}
	return nil
}

func number(truth bool) int {
	if truth {
		return 1
	}
	return 0
}

func addresses(from []net.IP) []netip.Addr {
	var found []netip.Addr
	for _, ip := range from {
		if address, ok := netip.AddrFromSlice(ip.To4()); ok {
			found = append(found, address)
		}
	}
	return found
}

// search is option 119, or else option 15.
func search(ack *dhcpv4.DHCPv4) []string {
	if labels := ack.DomainSearch(); labels != nil && len(labels.Labels) > 0 {
		return labels.Labels
	}
	return strings.Fields(strings.TrimRight(ack.DomainName(), "\x00"))
}

// ResolvConf is resolv.conf(5) for a lease.
func ResolvConf(lease Lease) string {
	var text strings.Builder
	if len(lease.Search) > 0 {
		fmt.Fprintf(&text, "search %s\n", strings.Join(lease.Search, " "))
	}
	for _, server := range lease.Nameservers {
		fmt.Fprintf(&text, "nameserver %s\n", server)
	}
	return text.String()
}
