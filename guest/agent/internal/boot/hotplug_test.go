package boot

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheKubeletIsToldOnceAMachineHasGrown(t *testing.T) {
	g := growth{known: size{1, 100}}
	for step, c := range []struct {
		now  size
		want bool
	}{
		{size{1, 100}, false}, {size{1, 100}, false},
		{size{2, 100}, false}, {size{2, 100}, true}, {size{2, 100}, false}, // a CPU
		{size{2, 110}, false}, {size{2, 120}, false}, {size{2, 120}, true}, {size{2, 120}, false}, // memory, bit by bit
		{size{2, 110}, false}, {size{2, 110}, false}, {size{2, 120}, false}, {size{2, 120}, false}, // less, and as much again
	} {
		if got := g.next(c.now); got != c.want {
			t.Errorf("step %d: got %v", step, got)
		}
	}
}

// restarts are the children that were started again.
type restarts []string

func (r *restarts) Restart(name string) { *r = append(*r, name) }

func TestTheKubeletIsntStartedAgainWhileItEndsThePod(t *testing.T) {
	powerOff, stopAsked := filepath.Join(t.TempDir(), "stop"), filepath.Join(t.TempDir(), "stop-asked")
	var restarted restarts
	restartKubelet(&restarted, powerOff, stopAsked)
	if !slices.Equal(restarted, []string{"kubelet"}) {
		t.Errorf("restarted %q", restarted)
	}
	for _, file := range []string{powerOff, stopAsked} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		restarted = nil
		restartKubelet(&restarted, powerOff, stopAsked)
		if len(restarted) > 0 {
			t.Errorf("with %s it is started again", filepath.Base(file))
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyACPUThatIsOfflineIsBroughtOnline(t *testing.T) {
	folder := t.TempDir()
	for name, before := range map[string]string{"0": "0\n", "1": "1\n", "2": "x"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bringOnline(folder + "/*")
	for name, want := range map[string]string{"0": "1", "1": "1\n", "2": "x"} {
		if got, _ := os.ReadFile(filepath.Join(folder, name)); string(got) != want && string(got) != want+"\n" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestTheKubeletIsAtAChangeUntilItIsInEffect(t *testing.T) {
	put, effect := filepath.Join(t.TempDir(), "manifest"), filepath.Join(t.TempDir(), "effect")
	if changing(put, effect) {
		t.Error("nothing was put")
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(put, "abc")
	if !changing(put, effect) {
		t.Error("it was put")
	}
	write(effect, "another")
	if !changing(put, effect) {
		t.Error("another one is in effect")
	}
	write(effect, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") // FIPS 180-4's example: abc
	if changing(put, effect) {
		t.Error("it is in effect")
	}
}
