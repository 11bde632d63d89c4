// Command webhooks prints, as one JSON list, the webhook configurations that cdi-operator registers for cdi-apiserver
// in the namespace it is given. They are made by CDI's own Go package, so this repository holds no copy of them.
package main

import (
	"encoding/json"
	"log"
	"os"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubevirt.io/containerized-data-importer/pkg/operator/resources/cluster"
)

func main() {
	objects, err := cluster.CreateAllDynamicResources(&cluster.FactoryArgs{Namespace: os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	kinds := []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
	objects = slices.DeleteFunc(objects, func(object client.Object) bool {
		return !slices.Contains(kinds, object.GetObjectKind().GroupVersionKind().Kind)
	})
	if err := json.NewEncoder(os.Stdout).Encode(objects); err != nil {
		log.Fatal(err)
	}
}
