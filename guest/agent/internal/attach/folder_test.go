package attach

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
)

// volume makes a folder with files, and with links by what they lead to.
func volume(t *testing.T, files, links map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for path, data := range files {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755)
		if err := os.WriteFile(filepath.Join(folder, path), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestALiveVolumeIsReadWithoutFollowingALink(t *testing.T) {
	folder := volume(t,
		map[string]string{"..1/token": "new", "..1/.b": "2", "..1/c/d": "no key", "..1/..e": "no key", "..0/token": "old", "secret": "x"},
		// The link that shows the token leads elsewhere, as the one that can't be followed leads nowhere.
		map[string]string{"..data": "..1", "token": "..0/token", ".b": "..data/.b", "gone": "..data/gone", "..1/link": "../secret"})
	if err := unix.Mkfifo(filepath.Join(folder, "..1/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := readFolder(folder)
	if want := (kube.Data{"token": []byte("new"), ".b": []byte("2")}); err != nil || !reflect.DeepEqual(data, want) {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestADiskIsReadByItsFiles(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"of a volume": {"a": "1", "..data/a": "1", "..2026/a": "1"}, // what xorrisofs -follow-links makes of one
		"of no other": {"a": "1"},
	} {
		data, err := readFolder(volume(t, files, nil))
		if want := (kube.Data{"a": []byte("1")}); err != nil || !reflect.DeepEqual(data, want) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
}

func TestOnlyAFolderOfTheVolumeIsRead(t *testing.T) {
	for _, target := range []string{"..", ".", "...", "a", "/", "../b", "..1/a", "/etc", "..data"} {
		data, err := readFolder(volume(t, map[string]string{"a/x": "1", "..1/a/x": "1"}, map[string]string{"..data": target}))
		if err == nil || len(data) > 0 {
			t.Errorf("%s: got %q", target, data)
		}
	}
	// A folder's name that is itself a link.
	data, err := readFolder(volume(t, map[string]string{"a/x": "1"}, map[string]string{"..data": "..1", "..1": "a"}))
	if err == nil || len(data) > 0 {
		t.Errorf("got %q", data)
	}
}

func TestAFolderHasABound(t *testing.T) {
	half := strings.Repeat("x", largest/2)
	data, err := readFolder(volume(t, map[string]string{"a": half, "b": half}, nil))
	if err != nil || len(data) != 2 {
		t.Errorf("got %d files, %v", len(data), err)
	}
	data, err = readFolder(volume(t, map[string]string{"a": half, "b": half + "x"}, nil))
	if err == nil || len(data) > 0 {
		t.Errorf("got %d files of a folder that is too large", len(data))
	}
}

func TestAVolumeThatIsSwappedIsReadAnew(t *testing.T) {
	folder := volume(t, map[string]string{"..2/a": "2"}, map[string]string{"..data": "..1"}) // ..1 is removed already
	swapped := make(chan error, 1)
	go func() {
		time.Sleep(swapPause / 2)
		link := filepath.Join(folder, "..data_tmp")
		_ = os.Symlink("..2", link)
		swapped <- os.Rename(link, filepath.Join(folder, "..data"))
	}()
	data, err := readFolder(folder)
	if want := (kube.Data{"a": []byte("2")}); err != nil || !reflect.DeepEqual(data, want) || <-swapped != nil {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestAVolumeWhoseFilesStayAwayIsAnErrorAndNotEmpty(t *testing.T) {
	data, err := readFolder(volume(t, nil, map[string]string{"..data": "..1"}))
	if err == nil || !strings.Contains(err.Error(), "written anew") || data != nil {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestAClaimsFilesAreWrittenToItsDevice(t *testing.T) {
	if err := flush(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := flush(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("no error")
	}
}
