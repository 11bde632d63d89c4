package rundir

import (
	"os"
	"time"
)

// Machine is where a machine's files are. Paths are those that they have on the machine, such as StaticPod and /etc/hosts.
// Its zero value is this machine; a test has a folder of its own.
type Machine struct {
	// Folder stands for the machine's root folder; "" is the real one.
	Folder string
	// Changes, if it is set, is called before and after each change of a file. A test ends the agent there.
	Changes func(path string)
}

// Path is where a file of the machine is.
func (m Machine) Path(path string) string { return m.Folder + path }

// Write replaces a file in one step.
func (m Machine) Write(path string, data []byte, mode os.FileMode) error {
	return m.change(path, func() error { return Write(m.Path(path), data, mode) })
}

// WriteJSON replaces a file by a value's JSON.
func (m Machine) WriteJSON(path string, value any, mode os.FileMode) error {
	return m.change(path, func() error { return WriteJSON(m.Path(path), value, mode) })
}

// Remove removes a file.
func (m Machine) Remove(path string) error {
	return m.change(path, func() error { return os.Remove(m.Path(path)) })
}

// MakeFolder makes a folder, and those above it.
func (m Machine) MakeFolder(path string, mode os.FileMode) error {
	return os.MkdirAll(m.Path(path), mode)
}

// Read reads a file.
func (m Machine) Read(path string) ([]byte, error) { return os.ReadFile(m.Path(path)) }

// ReadJSON reads a value back.
func (m Machine) ReadJSON(path string, value any) error { return ReadJSON(m.Path(path), value) }

// Exists tells whether there is such a file.
func (m Machine) Exists(path string) bool { return Exists(m.Path(path)) }

// Outcome is what the file Outcome says, "Failed" if it isn't there.
func (m Machine) Outcome() string { return ReadOutcome(m.Path(Outcome)) }

// Mark writes the present time to a file, unless the file is there, and tells whether it is new.
func (m Machine) Mark(path string) (isNew bool, err error) {
	if m.Exists(path) {
		return false, nil
	}
	err = m.change(path, func() error {
		isNew, err = Mark(m.Path(path))
		return err
	})
	return isNew, err
}

// Since is how long ago Mark has written a file; ok is false if the file isn't there.
func (m Machine) Since(path string) (elapsed time.Duration, ok bool) { return Since(m.Path(path)) }

func (m Machine) change(path string, make func() error) error {
	if m.Changes == nil {
		return make()
	}
	m.Changes(path)
	err := make()
	m.Changes(path)
	return err
}
