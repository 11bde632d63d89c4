// Package rundir has the files by which the guest's parts tell each other things. files.go names them all.
package rundir

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Container is a container that was made, and the image that it was made from, as its Pod names it.
type Container struct {
	ID    string `json:"id"`
	Image string `json:"image"`
}

// Write replaces a file in one step: whoever reads it sees the old content or the new.
func Write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// The leading dot keeps the kubelet from reading a half-written static Pod (pkg/kubelet/config/file.go).
	// Each writer has a name of its own, since two may write at once.
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// WriteJSON replaces a file by a value's JSON.
func WriteJSON(path string, value any, mode os.FileMode) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return Write(path, data, mode)
}

// ReadJSON reads a value back.
func ReadJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// ReadOutcome is the content of the file Outcome, which is at `path`; "Failed" if it isn't there.
func ReadOutcome(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "Failed"
	}
	return string(data)
}

// Exists tells whether there is such a file.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
