package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
)

const (
	dataLink    = "..data"
	newDataLink = "..data_tmp"
)

// Make makes a volume's folder as the emptyDir that a kubelet makes these volumes in: one in memory, for all but
// ConfigMaps, and a tmpfs's root is sticky (pkg/volume/emptydir/empty_dir.go, setupDir).
func Make(folder string, volume kube.Object) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	mode := fs.FileMode(0o777)
	if kube.Map(volume, "configMap") == nil {
		mode |= fs.ModeSticky
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.Chmod(folder, mode)
}

// Write makes a volume's folder show its files, all at once, as pkg/volume/util/atomic_writer.go does: the
// files are in a folder of their own, ..data is a link to it that is swapped, and each name is a link into
// ..data. Nothing is written if nothing changed. `group` is the Pod's fsGroup, -1 if it has none.
func Write(folder string, files Files, group int64) error {
	cleaned := Files{}
	for path, file := range files {
		name := clean(path)
		if name == "" {
			return fmt.Errorf("a volume can't have a file at %q", path)
		}
		cleaned[name] = file
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := os.Readlink(filepath.Join(folder, dataLink))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old != "" && same(filepath.Join(folder, old), cleaned) {
		return tidy(folder, cleaned, old, group)
	}
	if err := publish(folder, cleaned, group); err != nil {
		return err
	}
	current, err := os.Readlink(filepath.Join(folder, dataLink))
	if err != nil {
		return err
	}
	return tidy(folder, cleaned, current, group)
}

// publish writes the files into a new folder and swaps the link.
func publish(folder string, files Files, group int64) error {
	fresh, err := os.MkdirTemp(folder, time.Now().UTC().Format("..2006_01_02_15_04_05."))
	if err != nil {
		return err
	}
	if err := fill(folder, fresh, files, group); err != nil {
		_ = os.RemoveAll(fresh) // or each try would leave one
		return err
	}
	return nil
}

func fill(folder, fresh string, files Files, group int64) error {
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	for path, file := range files {
		if err := writeFile(filepath.Join(fresh, path), file); err != nil {
			return err
		}
	}
	if err := own(fresh, group); err != nil {
		return err
	}
	link := filepath.Join(folder, newDataLink)
	_ = os.Remove(link) // left by an agent that died here
	if err := os.Symlink(filepath.Base(fresh), link); err != nil {
		return err
	}
	return os.Rename(link, filepath.Join(folder, dataLink))
}

func writeFile(path string, file File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(path, file.Data, os.FileMode(file.Mode).Perm()); err != nil {
		return err
	}
	if err := os.Chmod(path, os.FileMode(file.Mode).Perm()); err != nil { // whatever the umask
		return err
	}
	if file.Owner == nil {
		return nil
	}
	return os.Lchown(path, int(*file.Owner), -1)
}

// tidy makes the links that containers see, and removes links of files that are gone, and old folders.
func tidy(folder string, files Files, current string, group int64) error {
	wanted := map[string]bool{}
	for path := range files {
		first, _, _ := strings.Cut(path, "/")
		wanted[first] = true
	}
	for name := range wanted {
		path := filepath.Join(folder, name)
		if _, err := os.Readlink(path); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join(dataLink, name), path); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, isLink := entry.Name(), entry.Type()&fs.ModeSymlink != 0
		stale := strings.HasPrefix(name, "..") && name != dataLink && name != current ||
			isLink && !strings.HasPrefix(name, "..") && !wanted[name]
		if !stale {
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return own(folder, group)
}

// same tells whether a folder has these files and no others.
func same(folder string, files Files) bool {
	seen := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		content, err := os.ReadFile(path)
		file, known := files[name]
		if err != nil || !known || !bytes.Equal(content, file.Data) {
			return fs.ErrInvalid
		}
		seen++
		return nil
	})
	return err == nil && seen == len(files)
}
