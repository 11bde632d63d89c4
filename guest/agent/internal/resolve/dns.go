package resolve

import (
	"fmt"

	"twinhull.dev/guest/agent/internal/kube"
)

// dns has the kubelet make the Pod's resolv.conf of the machine's: KubeVirt's DHCP passes on the launcher
// Pod's name servers and search domains, which come from the same dnsPolicy and dnsConfig. Options aren't
// DHCP's, so they are added: the cluster's own ndots (pkg/kubelet/network/dns/dns.go, defaultDNSOptions), and
// the Pod's. KubeVirt also puts the subdomain's domain first, which a Pod doesn't search: it is left out
// (kubevirt.io/kubevirt/pkg/network/driver/common.go).
func dns(in Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	var options []any
	named := map[string]bool{}
	for _, option := range kube.List(kube.Map(spec, "dnsConfig"), "options") {
		named[kube.Text(option, "name")] = true
		options = append(options, option)
	}
	policy := kube.Text(spec, "dnsPolicy")
	if (policy == "" || policy == "ClusterFirst" || policy == "ClusterFirstWithHostNet") && !named["ndots"] {
		options = append([]any{kube.Object{"name": "ndots", "value": "5"}}, options...)
	}
	spec["dnsPolicy"] = "Default"
	delete(spec, "dnsConfig")
	config := kube.Object{}
	if options != nil {
		config["options"] = options
	}
	if len(in.Search) > 0 && in.Search[0] == out.Domain && len(in.Nameservers) > 0 {
		spec["dnsPolicy"] = "None"
		config["nameservers"], config["searches"] = texts(in.Nameservers), texts(in.Search[1:])
	}
	if len(config) > 0 {
		spec["dnsConfig"] = config
	}
	return nil
}

func texts[T any](values []T) []any {
	found := []any{}
	for _, value := range values {
		found = append(found, fmt.Sprint(value))
	}
	return found
}
