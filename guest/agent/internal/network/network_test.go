package network

import (
	"encoding/hex"
	"net"
	"net/netip"
	"reflect"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/rfc1035label"
)

func answer(t *testing.T, options ...dhcpv4.Option) *dhcpv4.DHCPv4 {
	t.Helper()
	ack, err := dhcpv4.New(dhcpv4.WithYourIP(net.IPv4(10, 0, 2, 2)), dhcpv4.WithNetmask(net.IPv4Mask(255, 255, 255, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		ack.UpdateOption(option)
	}
	return ack
}

func network(text string) *net.IPNet {
	_, found, err := net.ParseCIDR(text)
	if err != nil {
		panic(err)
	}
	return found
}

func TestReadsALease(t *testing.T) {
	lease, err := read("eth0", answer(t,
		dhcpv4.OptRouter(net.IPv4(10, 0, 2, 1)),
		dhcpv4.OptDNS(net.IPv4(10, 96, 0, 10)),
		dhcpv4.OptDomainName("shop.svc.cluster.local"),
		dhcpv4.OptDomainSearch(&rfc1035label.Labels{Labels: []string{"shop.svc.cluster.local", "svc.cluster.local"}}),
		dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{5, 120}),
	))
	if err != nil {
		t.Fatal(err)
	}
	want := Lease{
		Interface: "eth0", Address: netip.MustParsePrefix("10.0.2.2/24"), MTU: 1400,
		Routes:      []Route{{To: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("10.0.2.1")}},
		Nameservers: []netip.Addr{netip.MustParseAddr("10.96.0.10")},
		Search:      []string{"shop.svc.cluster.local", "svc.cluster.local"},
	}
	if !reflect.DeepEqual(lease, want) {
		t.Errorf("got  %+v\nwant %+v", lease, want)
	}
	if got := ResolvConf(lease); got != "search shop.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\n" {
		t.Errorf("resolv.conf: %q", got)
	}
}

func TestTheDomainNameStandsInForASearchList(t *testing.T) {
	lease, err := read("eth0", answer(t, dhcpv4.OptDomainName("example.com\x00")))
	if err != nil || !reflect.DeepEqual(lease.Search, []string{"example.com"}) {
		t.Errorf("got %q, %v", lease.Search, err)
	}
}

func TestClasslessRoutesReplaceTheRouterAndThoseOnTheLinkComeFirst(t *testing.T) {
	lease, err := read("eth0", answer(t,
		dhcpv4.OptRouter(net.IPv4(10, 0, 2, 1)),
		dhcpv4.OptClasslessStaticRoute(
			&dhcpv4.Route{Dest: network("0.0.0.0/0"), Router: net.IPv4(169, 254, 1, 1)},
			&dhcpv4.Route{Dest: network("169.254.1.1/32"), Router: net.IPv4zero},
		)))
	want := []Route{
		{To: netip.MustParsePrefix("169.254.1.1/32")},
		{To: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("169.254.1.1")},
	}
	if err != nil || !reflect.DeepEqual(lease.Routes, want) {
		t.Errorf("got %+v, %v", lease.Routes, err)
	}
}

func TestAnAnswerWithoutAnAddressIsAnError(t *testing.T) {
	ack, _ := dhcpv4.New()
	if lease, err := read("eth0", ack); err == nil {
		t.Errorf("got %+v", lease)
	}
}

func TestRtnetlinkMessages(t *testing.T) {
	for name, check := range map[string]struct {
		message message
		want    string
	}{
		"address": {addressMessage(2, netip.MustParsePrefix("10.0.2.2/24")),
			"28000000" + "1400" + "0505" + "0000000000000000" + "02180000" + "02000000" + "080002000a000202" + "080001000a000202"},
		"default route": {routeMessage(2, Route{To: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("10.0.2.1")}),
			"2c000000" + "1800" + "0505" + "0000000000000000" + "02000000fe100001" + "04000000" + "080005000a000201" + "0800040002000000"},
	} {
		if got := hex.EncodeToString(check.message.bytes()); got != check.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, check.want)
		}
	}
}
