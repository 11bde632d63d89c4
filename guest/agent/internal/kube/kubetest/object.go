// Package kubetest makes objects for tests.
package kubetest

import (
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

// Object is the object of a JSON text. The test fails if the text isn't one.
func Object(t *testing.T, text string) kube.Object {
	t.Helper()
	var found kube.Object
	if err := kube.Decode([]byte(text), &found); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return found
}
