// Package hosts gives the machine the names that its Pod has.
package hosts

import (
	"fmt"
	"net/netip"
	"strings"

	"twinhull.dev/guest/agent/internal/resolve"
)

// DefaultDomain is a cluster's, if its search domains don't tell (kubeadm's and KubeVirt's own default).
const DefaultDomain = "cluster.local"

// File is /etc/hosts, as a kubelet writes a Pod's (pkg/kubelet/kubelet_pods.go, managedHostsFileContent). The
// machine's kubelet copies it to its Pod, and adds the hostAliases.
func File(own netip.Addr, hostname, domain string) string {
	names := hostname
	if domain != "" {
		short := resolve.Short(hostname)
		names = short + "." + domain + "\t" + short
	}
	return "127.0.0.1\tlocalhost\n" +
		"::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"fe00::0\tip6-localnet\n" +
		"fe00::0\tip6-mcastprefix\n" +
		"fe00::1\tip6-allnodes\n" +
		"fe00::2\tip6-allrouters\n" +
		fmt.Sprintf("%s\t%s\n", own, names)
}

// ClusterDomain is told by a search domain <namespace>.svc.<domain>, or else svc.<domain>
// (pkg/kubelet/network/dns/dns.go, generateSearchesForDNSClusterFirst).
func ClusterDomain(search []string, namespace string) string {
	for _, prefix := range []string{namespace + ".svc.", "svc."} {
		for _, domain := range search {
			if found, ok := strings.CutPrefix(strings.TrimSuffix(domain, "."), prefix); ok && found != "" {
				return found
			}
		}
	}
	return DefaultDomain
}
