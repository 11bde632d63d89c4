package consoletest

import (
	"testing"
	"time"
)

// Eventually fails the test unless a condition holds while `do` runs, which waits for the console and may never return.
func Eventually(t *testing.T, what string, do func(), holds func() bool) {
	t.Helper()
	go do()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not as long as the console takes no lines", what)
		}
	}
}
