package rundir

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestTwoMayWriteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var writers sync.WaitGroup
	for range 20 {
		writers.Go(func() {
			if err := Write(path, []byte("whole"), 0o640); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	data, _ := os.ReadFile(path)
	info, err := os.Stat(path)
	if err != nil || string(data) != "whole" || info.Mode() != 0o640 {
		t.Errorf("%q, %v, %v", data, info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}
