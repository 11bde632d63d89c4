package resolve

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"twinhull.dev/guest/agent/internal/kube"
)

// environment makes literals of what refers to objects, as pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables
// would. It puts the API server's address first, then envFrom, then env, where the kubelet lets a later variable
// replace an earlier one of its name, and expand it.
func environment(in Input, out *Output) error {
	for _, container := range kube.Containers(out.Pod) {
		variables := kubernetesService(in.Kubernetes)
		for _, source := range kube.List(container, "envFrom") {
			found, err := fromObject(in, source)
			if err != nil {
				return inContainer(container, "envFrom", err)
			}
			variables = append(variables, found...)
		}
		for _, variable := range kube.List(container, "env") {
			resolved, err := resolveVariable(in, variable)
			if err != nil {
				return inContainer(container, "env "+kube.Text(variable, "name"), err)
			}
			if resolved != nil {
				variables = append(variables, resolved)
			}
		}
		delete(container, "envFrom")
		delete(container, "env")
		if variables != nil {
			container["env"] = variables
		}
	}
	return nil
}

func inContainer(container kube.Object, what string, err error) error {
	var waiting Waiting
	if errors.As(err, &waiting) {
		return err
	}
	return fmt.Errorf("container %s: %s: %w", kube.Text(container, "name"), what, err)
}

// kubernetesService is what a kubelet tells every container of its API server
// (pkg/kubelet/envvars/envvars.go, FromServices; the Service default/kubernetes has the one port https).
func kubernetesService(host string) []any {
	if host == "" {
		return nil
	}
	at := "tcp://" + host + ":443"
	return []any{
		literal("KUBERNETES_SERVICE_HOST", host),
		literal("KUBERNETES_SERVICE_PORT", "443"),
		literal("KUBERNETES_SERVICE_PORT_HTTPS", "443"),
		literal("KUBERNETES_PORT", at),
		literal("KUBERNETES_PORT_443_TCP", at),
		literal("KUBERNETES_PORT_443_TCP_PROTO", "tcp"),
		literal("KUBERNETES_PORT_443_TCP_PORT", "443"),
		literal("KUBERNETES_PORT_443_TCP_ADDR", host),
	}
}

// literal is a variable whose value the kubelet takes as it is: it expands $(VAR) in values, and $$ is a $
// (third_party/forked/golang/expansion/expand.go).
func literal(name, value string) kube.Object {
	return kube.Object{"name": name, "value": strings.ReplaceAll(value, "$", "$$")}
}

// fromObject is a whole object's variables, in the order of their keys.
func fromObject(in Input, source kube.Object) ([]any, error) {
	kind, reference := kube.ConfigMap, kube.Map(source, "configMapRef")
	if reference == nil {
		kind, reference = kube.Secret, kube.Map(source, "secretRef")
	}
	ref := kube.Ref{Kind: kind, Name: kube.Text(reference, "name")}
	data, found := in.Objects[ref]
	if !found && !kube.Truth(reference, "optional") {
		return nil, missing(in, ref)
	}
	var variables []any
	for _, key := range data.Keys() {
		value, err := text(ref, key, data[key])
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		variables = append(variables, literal(kube.Text(source, "prefix")+key, *value))
	}
	return variables, nil
}

// resolveVariable is a variable as the kubelet can have it, nil if it is optional and absent.
func resolveVariable(in Input, variable kube.Object) (any, error) {
	from, named := kube.Map(variable, "valueFrom"), kube.Text(variable, "name")
	for kind, key := range map[string]string{kube.ConfigMap: "configMapKeyRef", kube.Secret: "secretKeyRef"} {
		if reference := kube.Map(from, key); reference != nil {
			return fromKey(in, named, kind, reference)
		}
	}
	if reference := kube.Map(from, "fieldRef"); reference != nil {
		value, ours, err := field(in, kube.Text(reference, "fieldPath"))
		if err != nil {
			return nil, err
		}
		if ours {
			return literal(named, value), nil
		}
	}
	return variable, nil
}

func fromKey(in Input, named, kind string, reference kube.Object) (any, error) {
	ref, key := kube.Ref{Kind: kind, Name: kube.Text(reference, "name")}, kube.Text(reference, "key")
	optional := kube.Truth(reference, "optional")
	data, found := in.Objects[ref]
	if !found {
		if optional {
			return nil, nil
		}
		return nil, missing(in, ref)
	}
	var value *string
	if content, ok := data[key]; ok {
		var err error
		if value, err = text(ref, key, content); err != nil {
			return nil, err
		}
	}
	if value != nil {
		return literal(named, *value), nil
	}
	if optional {
		return nil, nil
	}
	return nil, missingKey(in, ref, key)
}

// text is a key's value for a variable. A ConfigMap's binaryData gives none, as for the kubelet; a Secret's
// can't be given to the runtime, which only takes text.
func text(ref kube.Ref, key string, content []byte) (*string, error) {
	if !utf8.Valid(content) {
		if ref.Kind == kube.ConfigMap {
			return nil, nil
		}
		return nil, fmt.Errorf("%s %s: the value of %q is not text", ref.Kind, ref.Name, key)
	}
	value := string(content)
	return &value, nil
}

func missing(in Input, ref kube.Ref) error {
	return fmt.Errorf("%s %s doesn't exist; %s, or make the reference optional", ref.Kind, ref.Name, in.OnDisks.Advice(ref, "create it"))
}

func missingKey(in Input, ref kube.Ref, key string) error {
	return fmt.Errorf("%s %s has no key %q; %s, or make the reference optional", ref.Kind, ref.Name, key, in.OnDisks.Advice(ref, "add it"))
}
