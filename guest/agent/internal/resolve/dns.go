package resolve

import (
	"twinhull.dev/guest/agent/internal/kube"
)

// dns has the kubelet make the Pod's resolv.conf of the machine's: KubeVirt's DHCP passes on the launcher
// Pod's name servers and search domains, which come from the same dnsPolicy and dnsConfig. Options aren't
// DHCP's, so they are added: the cluster's own ndots (pkg/kubelet/network/dns/dns.go, defaultDNSOptions), and
// the Pod's.
func dns(_ Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	var options []any
	said := map[string]bool{}
	for _, option := range kube.List(kube.Map(spec, "dnsConfig"), "options") {
		said[kube.Text(option, "name")] = true
		options = append(options, option)
	}
	policy := kube.Text(spec, "dnsPolicy")
	if (policy == "" || policy == "ClusterFirst" || policy == "ClusterFirstWithHostNet") && !said["ndots"] {
		options = append([]any{kube.Object{"name": "ndots", "value": "5"}}, options...)
	}
	spec["dnsPolicy"] = "Default"
	delete(spec, "dnsConfig")
	if options != nil {
		spec["dnsConfig"] = kube.Object{"options": options}
	}
	return nil
}
