package manifest

import (
	"fmt"
	"math/big"
	"reflect"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/quantity"
)

// resize is the first path of resources that a running Pod can't change, "" if there is none: an amount that is taken away, or
// one that gives the Pod another QoS class. An API server refuses both (pkg/apis/core/validation, ValidatePodResize); a kubelet
// that reads them in a file would end all containers.
func resize(before, after kube.Object) string {
	old, renewed := kube.List(kube.Map(before, "spec"), "containers"), kube.List(kube.Map(after, "spec"), "containers")
	first := ""
	for index := range old {
		path := fmt.Sprintf("pod.spec.containers[%d].resources", index)
		was, is := kube.Map(old[index], "resources"), kube.Map(renewed[index], "resources")
		for _, kind := range []string{"limits", "requests"} {
			for _, resource := range []string{"cpu", "memory"} {
				if kube.Map(was, kind)[resource] != nil && kube.Map(is, kind)[resource] == nil {
					return path + "." + kind + "." + resource
				}
			}
		}
		if first == "" && !reflect.DeepEqual(was, is) {
			first = path
		}
	}
	if qosClass(before) != qosClass(after) {
		return first
	}
	return ""
}

// qosClass is a Pod's (pkg/apis/core/helper/qos/qos.go, ComputePodQOS).
func qosClass(pod kube.Object) string {
	spec, class := kube.Map(pod, "spec"), ""
	if whole := kube.Map(spec, "resources"); len(kube.Map(whole, "requests"))+len(kube.Map(whole, "limits")) > 0 {
		return classOf(whole)
	}
	for _, container := range kube.Containers(pod) {
		switch own := classOf(kube.Map(container, "resources")); class {
		case "", own:
			class = own
		default:
			return "Burstable"
		}
	}
	return class
}

func classOf(resources kube.Object) string {
	class := ""
	for _, name := range []string{"cpu", "memory"} {
		limit, request := amount(resources, "limits", name), amount(resources, "requests", name)
		if kube.Map(resources, "requests")[name] == nil {
			request = limit // pkg/apis/core/v1/defaults.go, SetDefaults_Pod
		}
		own := "Guaranteed"
		switch {
		case request.Cmp(limit) != 0:
			return "Burstable"
		case limit.Sign() == 0:
			own = "BestEffort"
		}
		if class != "" && class != own {
			return "Burstable"
		}
		class = own
	}
	return class
}

func amount(resources kube.Object, kind, name string) *big.Rat {
	if found, err := quantity.Parse(fmt.Sprint(kube.Map(resources, kind)[name])); err == nil {
		return found
	}
	return new(big.Rat) // there is none
}
