// Command kstatus reads a JSON list of objects and prints, as one JSON list, what kstatus makes of each: the
// library by which Flux's `wait`, Helm's `--wait` and kubectl's appliers tell what is in progress from what is done.
// With an argument, an element of a Flux Kustomization's `healthCheckExprs` as JSON, they are asked by that instead.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type verdict struct {
	Status  status.Status `json:"status"`
	Message string        `json:"message"`
}

func main() {
	compute := status.Compute
	if len(os.Args) > 1 {
		compute = evaluator(os.Args[1])
	}
	var objects []unstructured.Unstructured
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		log.Fatal(err)
	}
	verdicts := make([]verdict, 0, len(objects))
	for _, object := range objects {
		result, err := compute(&object)
		if err != nil {
			log.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		verdicts = append(verdicts, verdict{result.Status, result.Message})
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}

func evaluator(text string) func(*unstructured.Unstructured) (*status.Result, error) {
	var check kustomize.CustomHealthCheck
	if err := json.Unmarshal([]byte(text), &check); err != nil {
		log.Fatal(err)
	}
	expressions, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
	if err != nil {
		log.Fatal(err)
	}
	return func(object *unstructured.Unstructured) (*status.Result, error) {
		return expressions.Evaluate(context.Background(), object)
	}
}
