// Package kubetest writes down objects in tests.
package kubetest

import (
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

// Object is what a JSON text says; the test fails if that is none.
func Object(t *testing.T, text string) kube.Object {
	t.Helper()
	var found kube.Object
	if err := kube.Decode([]byte(text), &found); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return found
}
