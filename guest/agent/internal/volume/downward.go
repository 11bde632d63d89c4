package volume

import (
	"fmt"
	"math/big"
	"sort"
	"strconv"
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/quantity"
	"twinhull.dev/guest/agent/internal/resolve"
)

// downward is the Pod's own fields as files (pkg/volume/downwardapi/downwardapi.go, CollectData).
func downward(in Input, files Files, source kube.Object, usual int64) error {
	for _, item := range kube.List(source, "items") {
		var value string
		var err error
		if reference := kube.Map(item, "fieldRef"); reference != nil {
			value, err = metadata(in, kube.Text(reference, "fieldPath"))
		} else {
			value, err = resource(in, kube.Map(item, "resourceFieldRef"))
		}
		if err != nil {
			return err
		}
		files[kube.Text(item, "path")] = File{Data: []byte(value), Mode: mode(item, "mode", usual)}
	}
	return nil
}

// metadata is a field of the Pod's metadata (pkg/fieldpath/fieldpath.go, ExtractFieldPathAsString).
func metadata(in Input, path string) (string, error) {
	metadata := kube.Map(in.Pod, "metadata")
	field, subscript, subscripted := strings.Cut(strings.TrimSuffix(path, "']"), "['")
	texts := kube.Texts(metadata, strings.TrimPrefix(field, "metadata."))
	switch {
	case field != "metadata.labels" && field != "metadata.annotations":
	case subscripted:
		return texts[subscript], nil
	default:
		return format(texts), nil
	}
	switch path {
	case "metadata.name", "metadata.namespace":
		return kube.Text(metadata, strings.TrimPrefix(path, "metadata.")), nil
	case "metadata.uid":
		return resolve.Launcher(in.Objects, path)
	}
	return "", fmt.Errorf("a volume can't show the field %s", path)
}

// format is a map of texts in a file (pkg/fieldpath/fieldpath.go, FormatMap).
func format(texts map[string]string) string {
	lines := make([]string, 0, len(texts))
	keys := make([]string, 0, len(texts))
	for key := range texts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		lines = append(lines, key+"="+strconv.Quote(texts[key]))
	}
	return strings.Join(lines, "\n")
}

// resource is a container's request or limit in units of the divisor, rounded up. Without a limit it is what
// the machine has (pkg/api/v1/resource/helpers.go, ExtractResourceValueByContainerNameAndNodeAllocatable).
func resource(in Input, reference kube.Object) (string, error) {
	asked := kube.Text(reference, "resource")
	kind, name, _ := strings.Cut(asked, ".")
	if kind != "limits" && kind != "requests" {
		return "", fmt.Errorf("there is no resource %q of a container", asked)
	}
	container := find(in.Pod, kube.Text(reference, "containerName"))
	if container == nil {
		return "", fmt.Errorf("there is no container %q for %s", kube.Text(reference, "containerName"), asked)
	}
	resources := kube.Map(container, "resources")
	amount, err := parse(kube.Map(resources, kind)[name])
	if err != nil {
		return "", fmt.Errorf("%s: %w", asked, err)
	}
	if kind == "requests" && kube.Map(resources, kind)[name] == nil {
		// An API server sets a request that isn't said to the limit (pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
		if amount, err = parse(kube.Map(resources, "limits")[name]); err != nil {
			return "", fmt.Errorf("%s: %w", asked, err)
		}
	}
	if kind == "limits" && amount.Sign() == 0 {
		if amount, err = parse(in.Allocatable[name]); err != nil {
			return "", err
		}
	}
	divisor, err := parse(reference["divisor"])
	if err != nil {
		return "", fmt.Errorf("%s: divisor: %w", asked, err)
	}
	if divisor.Sign() == 0 {
		divisor = big.NewRat(1, 1)
	}
	return quantity.Ceil(amount, divisor), nil
}

// parse reads a quantity, written as a text or a number; an absent one is 0.
func parse(value any) (*big.Rat, error) {
	if value == nil || value == "" {
		return new(big.Rat), nil
	}
	return quantity.Parse(fmt.Sprint(value))
}

func find(pod kube.Object, name string) kube.Object {
	for _, container := range kube.Containers(pod) {
		if kube.Text(container, "name") == name {
			return container
		}
	}
	return nil
}
