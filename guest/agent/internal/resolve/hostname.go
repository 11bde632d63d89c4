package resolve

import (
	"fmt"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

const (
	labelLength = 63
	// kernelLength is what the kernel keeps of a name (HOST_NAME_MAX).
	kernelLength = 64
)

// hostname is the machine's, as the Pod's would be (pkg/kubelet/kubelet_pods.go, GeneratePodHostNameAndDomain
// and pkg/kubelet/util, GetNodenameForKernel): the Pod shares it.
func hostname(in Input, out *Output) error {
	spec, metadata := kube.Map(in.Pod, "spec"), kube.Map(in.Pod, "metadata")
	host := kube.Text(spec, "hostname")
	if host == "" {
		host = kube.Text(metadata, "name")
	}
	if len(host) > labelLength {
		host = strings.TrimRight(host[:labelLength], "-.")
	}
	out.Hostname = host
	if subdomain := kube.Text(spec, "subdomain"); subdomain != "" {
		out.Domain = fmt.Sprintf("%s.%s.svc.%s", subdomain, kube.Text(metadata, "namespace"), in.ClusterDomain)
	}
	if kube.Truth(spec, "setHostnameAsFQDN") && out.Domain != "" {
		out.Hostname = host + "." + out.Domain
		if len(out.Hostname) > kernelLength {
			return fmt.Errorf("setHostnameAsFQDN: %s is longer than the %d characters of a hostname", out.Hostname, kernelLength)
		}
	}
	return nil
}

// Short is a hostname without its domain.
func Short(hostname string) string {
	short, _, _ := strings.Cut(hostname, ".")
	return short
}
