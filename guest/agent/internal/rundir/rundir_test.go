package rundir

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestWritersAtOnceLeaveOneWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "value.json")
	var writers sync.WaitGroup
	for number := range 20 {
		writers.Go(func() {
			if err := WriteJSON(path, strconv.Itoa(number), 0o640); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	var read string
	if err := ReadJSON(path, &read); err != nil || read == "" {
		t.Errorf("read %q, %v", read, err)
	}
	if stat, err := os.Stat(path); err != nil || stat.Mode() != 0o640 {
		t.Errorf("%v, %v", stat, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value.json")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(path, func() {}, 0o600); err == nil {
		t.Error("no error")
	}
	if data, err := os.ReadFile(path); string(data) != "old" || !Exists(path) {
		t.Errorf("%q, %v", data, err)
	}
}

func TestWithoutAFileTheOutcomeIsAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outcome")
	if got := ReadOutcome(path); got != "Failed" {
		t.Errorf("got %q", got)
	}
	if err := Write(path, []byte("Succeeded"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := ReadOutcome(path); got != "Succeeded" {
		t.Errorf("got %q", got)
	}
}

func TestAMachineOfATestHasItsFilesInAFolderOfItsOwn(t *testing.T) {
	var changed []string
	machine := Machine{Folder: t.TempDir(), Changes: func(path string) { changed = append(changed, path) }}
	if err := machine.Write(StaticPod, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(machine.Folder + StaticPod); string(data) != "{}" || err != nil || !machine.Exists(StaticPod) {
		t.Errorf("%q, %v", data, err)
	}
	if isNew, err := machine.Mark(Stopped); !isNew || err != nil {
		t.Errorf("%v, %v", isNew, err)
	}
	if isNew, err := machine.Mark(Stopped); isNew || err != nil {
		t.Errorf("%v, %v", isNew, err)
	}
	if err := machine.Remove(StaticPod); err != nil || machine.Exists(StaticPod) {
		t.Error(err)
	}
	want := []string{StaticPod, StaticPod, Stopped, Stopped, StaticPod, StaticPod}
	if !slices.Equal(changed, want) {
		t.Errorf("got %q", changed)
	}
}

func TestAMarkKeepsItsFirstTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	if _, ok := Since(path); ok {
		t.Error("it is marked already")
	}
	if isNew, err := Mark(path); !isNew || err != nil {
		t.Errorf("%v, %v", isNew, err)
	}
	if elapsed, ok := Since(path); !ok || elapsed < -time.Millisecond || elapsed > time.Minute {
		t.Errorf("%s, %v", elapsed, ok)
	}
	before := fmt.Sprintf("%.3f", (uptime() - time.Hour).Seconds())
	if err := Write(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if isNew, err := Mark(path); isNew || err != nil {
		t.Errorf("%v, %v", isNew, err)
	}
	if elapsed, ok := Since(path); !ok || elapsed < time.Hour-time.Second || elapsed > time.Hour+time.Minute {
		t.Errorf("%s, %v", elapsed, ok)
	}
}
