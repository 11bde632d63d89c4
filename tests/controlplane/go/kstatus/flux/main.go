// Command flux reads a JSON list of Flux's own objects and ends with an error if one has what Flux's types don't.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	automation "github.com/fluxcd/image-automation-controller/api/v1"
	reflector "github.com/fluxcd/image-reflector-controller/api/v1"
	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var kinds = map[string]func() any{
	source.GroupVersion.String() + "/GitRepository":             func() any { return &source.GitRepository{} },
	kustomize.GroupVersion.String() + "/Kustomization":          func() any { return &kustomize.Kustomization{} },
	reflector.GroupVersion.String() + "/ImageRepository":        func() any { return &reflector.ImageRepository{} },
	reflector.GroupVersion.String() + "/ImagePolicy":            func() any { return &reflector.ImagePolicy{} },
	automation.GroupVersion.String() + "/ImageUpdateAutomation": func() any { return &automation.ImageUpdateAutomation{} },
}

func main() {
	var objects []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		log.Fatal(err)
	}
	for _, object := range objects {
		var named metav1.PartialObjectMetadata
		if err := json.Unmarshal(object, &named); err != nil {
			log.Fatal(err)
		}
		kind, known := kinds[named.APIVersion+"/"+named.Kind]
		if !known {
			log.Fatalf("%s %s is no kind of Flux's", named.APIVersion, named.Kind)
		}
		strict := json.NewDecoder(bytes.NewReader(object))
		strict.DisallowUnknownFields()
		if err := strict.Decode(kind()); err != nil {
			log.Fatalf("%s %s: %v", named.Kind, named.Name, err)
		}
	}
}
