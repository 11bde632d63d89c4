package attach

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

func TestReadsKeysAndNotWhatShowsThem(t *testing.T) {
	folder := t.TempDir()
	for path, data := range map[string]string{"..2026_01_02/a": "1", "..2026_01_02/.b": "2", "c/d": "no key"} {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755)
		if err := os.WriteFile(filepath.Join(folder, path), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"..data": "..2026_01_02", "a": "..data/a", ".b": "..data/.b", "gone": "..data/gone"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := read(folder)
	if want := (kube.Data{"a": []byte("1"), ".b": []byte("2")}); err != nil || !reflect.DeepEqual(data, want) {
		t.Errorf("got %q, %v", data, err)
	}
}
