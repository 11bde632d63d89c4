package manifest

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/quantity"
)

// annotationsSize is how large a Pod's annotations may be together, in bytes, without the kubelet's own and ours
// (apimachinery/pkg/api/validation/objectmeta.go, TotalAnnotationSizeLimitB).
const annotationsSize = 255 << 10

// Names of labels and annotations, and labels' values (apimachinery/pkg/api/validate/content).
var (
	keyPattern = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// Validate checks the fields that may change while the Pod runs. A kubelet would end the Pod if it couldn't read one of them
// (pkg/kubelet/config/file.go, extractFromDir).
func (m Manifest) Validate() error {
	metadata := kube.Map(m.Pod, "metadata")
	for _, kind := range []string{"labels", "annotations"} {
		if err := validateTexts(metadata, kind); err != nil {
			return err
		}
	}
	for _, container := range kube.List(kube.Map(m.Pod, "spec"), "containers") {
		if err := validateContainer(container); err != nil {
			return fmt.Errorf("the manifest's container %s: %w", kube.Text(container, "name"), err)
		}
	}
	return nil
}

func validateTexts(metadata kube.Object, kind string) error {
	if metadata[kind] != nil && kube.Map(metadata, kind) == nil {
		return fmt.Errorf("the manifest's %s are no object", kind)
	}
	size := 0
	for key, value := range kube.Map(metadata, kind) {
		text, is := value.(string)
		name := key
		if kind == "annotations" { // whose names may be of either case
			name = strings.ToLower(key)
		}
		if !is || !keyPattern.MatchString(name) || kind == "labels" && !labelValue.MatchString(text) {
			return fmt.Errorf("the manifest's %s have %q: %v, which none may be", kind, key, value)
		}
		size += len(key) + len(text)
	}
	if kind == "annotations" && size > annotationsSize {
		return fmt.Errorf("the manifest's annotations are %d bytes, and may be %d", size, annotationsSize)
	}
	return nil
}

func validateContainer(container kube.Object) error {
	if image := kube.Text(container, "image"); image == "" || strings.TrimSpace(image) != image {
		return fmt.Errorf("%q is no image", image)
	}
	if container["resources"] != nil && kube.Map(container, "resources") == nil {
		return fmt.Errorf("its resources are no object")
	}
	resources := kube.Map(container, "resources")
	amounts := map[string]map[string]*big.Rat{}
	for _, kind := range []string{"requests", "limits"} {
		amounts[kind] = map[string]*big.Rat{}
		if resources[kind] != nil && kube.Map(resources, kind) == nil {
			return fmt.Errorf("its %s are no object", kind)
		}
		for name, value := range kube.Map(resources, kind) {
			amount, err := quantity.Parse(fmt.Sprint(value))
			if err != nil || amount.Sign() < 0 {
				return fmt.Errorf("its %s of %s, %v, are no amount", kind, name, value)
			}
			amounts[kind][name] = amount
		}
	}
	for name, request := range amounts["requests"] {
		if limit := amounts["limits"][name]; limit != nil && request.Cmp(limit) > 0 {
			return fmt.Errorf("it requests more %s than its limit", name)
		}
	}
	return nil
}
