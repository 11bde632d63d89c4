package resolve

import (
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

// sysctls takes out the network's: a Pod that shares its node's network may not set them
// (pkg/kubelet/sysctl/allowlist.go), but here the network is its own. Those of IPC stay the kubelet's.
func sysctls(_ Input, out *Output) error {
	security := kube.Map(kube.Map(out.Pod, "spec"), "securityContext")
	if security["sysctls"] == nil {
		return nil
	}
	var others []any
	for _, sysctl := range kube.List(security, "sysctls") {
		// net.ipv4.x and net/ipv4/x are the same (pkg/util/sysctl, NormalizeName).
		name := strings.ReplaceAll(kube.Text(sysctl, "name"), "/", ".")
		if strings.HasPrefix(name, "net.") {
			out.Sysctls = append(out.Sysctls, [2]string{kube.Text(sysctl, "name"), kube.Text(sysctl, "value")})
		} else {
			others = append(others, sysctl)
		}
	}
	delete(security, "sysctls")
	if others != nil {
		security["sysctls"] = others
	}
	return nil
}

// SysctlPath is where a sysctl is below /proc/sys: in a name with dots, slashes stand for dots, and the other
// way round (sysctl.d(5)).
func SysctlPath(name string) string {
	if at := strings.IndexAny(name, "./"); at >= 0 && name[at] == '/' {
		return name
	}
	return strings.Map(func(letter rune) rune {
		switch letter {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return letter
	}, name)
}
