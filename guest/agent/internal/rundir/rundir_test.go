package rundir

import (
	"fmt"
	"os"
	"path/filepath"
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

func TestWithoutAWordTheOutcomeIsAFailure(t *testing.T) {
	if got := outcome(nil, os.ErrNotExist); got != "Failed" {
		t.Errorf("got %q", got)
	}
	if got := outcome([]byte("Succeeded"), nil); got != "Succeeded" {
		t.Errorf("got %q", got)
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
