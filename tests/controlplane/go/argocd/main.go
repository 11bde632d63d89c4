// Command argocd says what Argo CD makes of objects, by Argo CD's own code. It reads a JSON list and prints one.
//
//	argocd health FOLDER   objects → their health, by the checks in FOLDER/<group>/<kind>/health.lua
//	argocd diff            {config, live, predicted} → whether an object is out of sync: `config` is what Git has,
//	                       `predicted` what a dry run of a server-side apply gives (absent: a client-side apply)
//	argocd application     Applications → their names, or an error if one has what Argo CD's type doesn't
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "health":
		overrides := checks(os.Args[2])
		answer(func(object unstructured.Unstructured) (*health.HealthStatus, error) {
			return health.GetResourceHealth(&object, overrides)
		})
	case len(os.Args) == 2 && os.Args[1] == "diff":
		answer(differs)
	case len(os.Args) == 2 && os.Args[1] == "application":
		answer(application)
	default:
		log.Fatal("usage: argocd health FOLDER | argocd diff | argocd application")
	}
}

// answer gives each element of the list that is read to ask, and prints the list of what it says.
func answer[Question, Answer any](ask func(Question) (Answer, error)) {
	var questions []Question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	answers := make([]Answer, 0, len(questions))
	for number, question := range questions {
		said, err := ask(question)
		if err != nil {
			log.Fatalf("number %d: %v", number, err)
		}
		answers = append(answers, said)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

// checks are the health checks of a folder as Argo CD holds those of its ConfigMap argocd-cm: without Lua's libraries.
func checks(folder string) lua.ResourceHealthOverrides {
	overrides := lua.ResourceHealthOverrides{}
	scripts, err := filepath.Glob(filepath.Join(folder, "*", "*", "health.lua"))
	if err != nil || len(scripts) == 0 {
		log.Fatalf("there is no health.lua in %s", folder)
	}
	for _, path := range scripts {
		script, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		kind := filepath.Dir(path)
		name := fmt.Sprintf("%s/%s", filepath.Base(filepath.Dir(kind)), filepath.Base(kind))
		overrides[name] = v1alpha1.ResourceOverride{HealthLua: string(script)}
	}
	return overrides
}

type comparison struct {
	Config    *unstructured.Unstructured `json:"config"`
	Live      *unstructured.Unstructured `json:"live"`
	Predicted *unstructured.Unstructured `json:"predicted"`
}

type verdict struct {
	OutOfSync bool            `json:"outOfSync"`
	Wanted    json.RawMessage `json:"wanted"`
	Found     json.RawMessage `json:"found"`
}

func differs(compared comparison) (verdict, error) {
	var options []diff.Option
	if compared.Predicted != nil {
		options = append(options,
			diff.WithServerSideDiff(true),
			diff.WithServerSideDryRunner(known{compared.Predicted}),
			diff.WithManager("argocd-controller"),
			diff.WithIgnoreMutationWebhook(false))
	}
	result, err := diff.Diff(compared.Config, compared.Live, options...)
	if err != nil {
		return verdict{}, err
	}
	return verdict{result.Modified, result.PredictedLive, result.NormalizedLive}, nil
}

func application(text json.RawMessage) (string, error) {
	var found v1alpha1.Application
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&found); err != nil {
		return "", err
	}
	return found.Name, nil
}

// known is a dry run whose outcome is there already.
type known struct{ predicted *unstructured.Unstructured }

func (dryRun known) Run(context.Context, *unstructured.Unstructured, string) (string, error) {
	text, err := dryRun.predicted.MarshalJSON()
	return string(text), err
}
