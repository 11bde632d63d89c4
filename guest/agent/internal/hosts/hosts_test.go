package hosts

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	own := netip.MustParseAddr("10.0.2.2")
	for want, c := range map[string][2]string{
		"10.0.2.2\tweb\n": {"web", ""},
		"10.0.2.2\tweb.s.shop.svc.cluster.local\tweb\n":   {"web", "s.shop.svc.cluster.local"},
		"10.0.2.2\tfqdn.s.shop.svc.cluster.local\tfqdn\n": {"fqdn.s.shop.svc.cluster.local", "s.shop.svc.cluster.local"},
	} {
		if got := File(own, c[0], c[1]); !strings.HasSuffix(got, "fe00::2\tip6-allrouters\n"+want) || !strings.HasPrefix(got, "127.0.0.1\tlocalhost\n") {
			t.Errorf("%q: got\n%s", c, got)
		}
	}
}

func TestClusterDomain(t *testing.T) {
	for want, search := range map[string][]string{
		"cluster.local": {},
		"one.example":   {"sub.shop.svc.one.example", "shop.svc.one.example", "svc.one.example", "one.example"},
		"two.example":   {"svc.two.example."},
		"three":         {"corp.example", "shop.svc.three"},
	} {
		if got := ClusterDomain(search, "shop"); got != want {
			t.Errorf("%q: got %q", search, got)
		}
	}
	if got := ClusterDomain([]string{"example.com"}, "shop"); got != DefaultDomain {
		t.Errorf("got %q", got)
	}
}
