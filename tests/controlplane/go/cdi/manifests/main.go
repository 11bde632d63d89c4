// Command manifests prints, as one JSON list, the CustomResourceDefinitions of the Containerized Data Importer.
// They are data of CDI's own Go package, so this repository holds no copy of them.
package main

import (
	"encoding/json"
	"log"
	"maps"
	"os"
	"slices"

	"sigs.k8s.io/yaml"

	"kubevirt.io/containerized-data-importer/pkg/operator/resources"
)

func main() {
	var manifests []json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(resources.CDICRDs)) {
		crd, err := yaml.YAMLToJSON([]byte(resources.CDICRDs[name]))
		if err != nil {
			log.Fatal(err)
		}
		manifests = append(manifests, crd)
	}
	if err := json.NewEncoder(os.Stdout).Encode(manifests); err != nil {
		log.Fatal(err)
	}
}
