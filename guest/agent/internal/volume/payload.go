// Package volume writes the volumes that a kubelet would make of ConfigMaps, Secrets, tokens and the Pod's own
// fields.
package volume

import (
	"errors"
	"fmt"
	"path/filepath"

	"twinhull.dev/guest/agent/internal/kube"
)

// defaultMode is that of all these volumes (pkg/apis/core/v1/defaults.go).
const defaultMode = 0o644

// File is a file of a volume.
type File struct {
	Data []byte
	Mode int64
	// Owner is the user it belongs to, nil for root.
	Owner *int64
}

// Files are a volume's, by their path in it.
type Files map[string]File

// Input is what volumes are made from.
type Input struct {
	Pod     kube.Object
	Objects kube.Objects
	OnDisks kube.OnDisks
	// Allocatable is what a container without limits may use: resource name to quantity.
	Allocatable map[string]string
}

// Payload is a volume's files. What is missing and not optional is an error; then the volume is left as it is.
func Payload(in Input, volume kube.Object) (Files, error) {
	files := Files{}
	var err error
	switch {
	case kube.Map(volume, "configMap") != nil:
		source := kube.Map(volume, "configMap")
		err = object(in, files, kube.Ref{Kind: kube.ConfigMap, Name: kube.Text(source, "name")}, source, mode(source, "defaultMode", defaultMode))
	case kube.Map(volume, "secret") != nil:
		source := kube.Map(volume, "secret")
		err = object(in, files, kube.Ref{Kind: kube.Secret, Name: kube.Text(source, "secretName")}, source, mode(source, "defaultMode", defaultMode))
	case kube.Map(volume, "downwardAPI") != nil:
		source := kube.Map(volume, "downwardAPI")
		err = downward(in, files, source, mode(source, "defaultMode", defaultMode))
	default:
		err = projected(in, files, kube.Map(volume, "projected"))
	}
	if err != nil {
		return nil, fmt.Errorf("volume %s: %w", kube.Text(volume, "name"), err)
	}
	return files, nil
}

// projected puts several sources into one volume; the last of a path wins
// (pkg/volume/projected/projected.go, collectData).
func projected(in Input, files Files, volume kube.Object) error {
	usual := mode(volume, "defaultMode", defaultMode)
	var failed []error
	for _, source := range kube.List(volume, "sources") {
		for kind, below := range source {
			source, _ := below.(kube.Object)
			var err error
			switch kind {
			case "configMap":
				err = object(in, files, kube.Ref{Kind: kube.ConfigMap, Name: kube.Text(source, "name")}, source, usual)
			case "secret":
				err = object(in, files, kube.Ref{Kind: kube.Secret, Name: kube.Text(source, "name")}, source, usual)
			case "downwardAPI":
				err = downward(in, files, source, usual)
			case "serviceAccountToken":
				err = account(in, files, source, "token", usual)
			case "serviceAccountCA":
				err = account(in, files, source, "ca.crt", usual)
			default:
				err = fmt.Errorf("a machine can't project %s", kind)
			}
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// object is a ConfigMap's or a Secret's files (MakePayload of pkg/volume/configmap and pkg/volume/secret).
func object(in Input, files Files, ref kube.Ref, source kube.Object, usual int64) error {
	data, found := in.Objects[ref]
	optional := kube.Truth(source, "optional")
	if !found && !optional {
		return fmt.Errorf("%s %s doesn't exist; %s, or make the volume optional", ref.Kind, ref.Name, in.OnDisks.Advice(ref, "create it"))
	}
	items := kube.List(source, "items")
	if len(items) == 0 {
		for key, content := range data {
			files[key] = File{Data: content, Mode: usual}
		}
	}
	for _, item := range items {
		key := kube.Text(item, "key")
		content, found := data[key]
		if !found {
			if optional {
				continue
			}
			return fmt.Errorf("%s %s has no key %q; %s, or make the volume optional", ref.Kind, ref.Name, key, in.OnDisks.Advice(ref, "add it"))
		}
		files[kube.Text(item, "path")] = File{Data: content, Mode: mode(item, "mode", usual)}
	}
	return nil
}

// account is one of the ServiceAccount's files. A token is only for its user to read, if there is one user
// (pkg/volume/projected/projected.go; with fsGroup, ownership widens it again).
func account(in Input, files Files, source kube.Object, key string, usual int64) error {
	data, _ := in.Objects.First(kube.ServiceAccount)
	content, found := data[key]
	if !found {
		return fmt.Errorf("the machine was given no %s of a ServiceAccount", key)
	}
	file := File{Data: content, Mode: usual}
	if key == "token" {
		file.Owner = user(in.Pod)
		if _, grouped := Group(in.Pod); grouped || file.Owner != nil {
			file.Mode = 0o600
		}
	}
	files[kube.Text(source, "path")] = file
	return nil
}

// Group is the Pod's fsGroup.
func Group(pod kube.Object) (int64, bool) {
	return kube.Integer(kube.Map(kube.Map(pod, "spec"), "securityContext"), "fsGroup")
}

// user is the user that all containers run as, nil if they differ or an image says it
// (pkg/volume/util/util.go, FsUserFrom).
func user(pod kube.Object) *int64 {
	whole, wholeSet := kube.Integer(kube.Map(kube.Map(pod, "spec"), "securityContext"), "runAsUser")
	var found *int64
	for _, container := range kube.Containers(pod) {
		own, set := kube.Integer(kube.Map(container, "securityContext"), "runAsUser")
		if !set {
			own, set = whole, wholeSet
		}
		if !set || (found != nil && *found != own) {
			return nil
		}
		found = &own
	}
	return found
}

func mode(source kube.Object, key string, usual int64) int64 {
	if set, ok := kube.Integer(source, key); ok {
		return set
	}
	return usual
}

// clean is a path in its shortest form, "" if it leads out of the volume or to the writer's own files
// (pkg/volume/util/atomic_writer.go, validatePath).
func clean(path string) string {
	cleaned := filepath.Clean(path)
	if path == "" || filepath.IsAbs(path) || cleaned == "." || len(cleaned) > 1 && cleaned[:2] == ".." {
		return ""
	}
	return cleaned
}
