package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	pattern = "/var/log/pods/*/*/*.log"
	pause   = time.Second
	// burst is how many lines of a container the console shows in one pause. It is slow, and the Pod isn't to wait for it.
	// The container's log has all lines.
	burst     = 500
	lineSize  = 4 << 10
	chunkSize = 64 << 10
)

// Follower copies all logs, those of restarted containers and rotated files too.
type Follower struct {
	pattern string
	state   string
	print   func(string)
	lock    sync.Mutex
	read    map[string]*position
}

// position is how far a file was read. A rotated file is another one of the same name.
type position struct {
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	file   *os.File
	begun  []byte
}

// New goes on where an agent before it stopped. `print` writes a line to the console.
func New(files rundir.Machine, print func(string)) *Follower {
	f := &Follower{pattern: files.Path(pattern), state: files.Path(rundir.Logs), print: print, read: map[string]*position{}}
	_ = readState(f)
	return f
}

func readState(f *Follower) error { return rundir.ReadJSON(f.state, &f.read) }

// Run copies for as long as the machine runs.
func (f *Follower) Run() {
	for ; ; time.Sleep(pause) {
		f.Copy()
	}
}

// Copy copies what is new.
func (f *Follower) Copy() {
	f.lock.Lock()
	defer f.lock.Unlock()
	paths, _ := filepath.Glob(f.pattern)
	sort.Strings(paths)
	present, changed := map[string]bool{}, false
	for _, path := range paths {
		present[path] = true
		if f.copy(path) {
			changed = true
		}
	}
	for path, at := range f.read {
		if !present[path] {
			at.close()
			delete(f.read, path)
			changed = true
		}
	}
	if changed {
		_ = rundir.WriteJSON(f.state, f.read, 0o600)
	}
}

func (f *Follower) copy(path string) (changed bool) {
	at := f.read[path]
	var stat unix.Stat_t
	if unix.Stat(path, &stat) != nil {
		return false
	}
	shown := 0
	if at != nil && at.Inode != stat.Ino {
		changed = f.drain(path, at, &shown) // the rest of the file that was rotated away
		at.close()
		at = nil
	}
	if at == nil {
		at = &position{Inode: stat.Ino}
		f.read[path] = at
	}
	if at.file == nil {
		file, err := os.Open(path)
		if err != nil {
			return changed
		}
		at.file = file
	}
	changed = f.drain(path, at, &shown) || changed
	if shown > burst {
		f.print(fmt.Sprintf("twinhull: %s says more than the console shows: %d lines left out", container(path), shown-burst))
	}
	return changed
}

// drain prints the whole lines of a file that weren't read yet.
func (f *Follower) drain(path string, at *position, shown *int) (changed bool) {
	if at.file == nil {
		return false
	}
	chunk := make([]byte, chunkSize)
	for {
		length, err := at.file.ReadAt(chunk, at.Offset+int64(len(at.begun)))
		at.begun = append(at.begun, chunk[:length]...)
		for {
			end := bytes.IndexByte(at.begun, '\n')
			if end < 0 {
				break
			}
			f.show(path, at.begun[:end], shown)
			at.begun, at.Offset, changed = at.begun[end+1:], at.Offset+int64(end)+1, true
		}
		if err == io.EOF || err != nil || length == 0 {
			return changed
		}
	}
}

func (f *Follower) show(path string, line []byte, shown *int) {
	printed, ok := text(line)
	if !ok {
		return
	}
	if *shown++; *shown > burst {
		return
	}
	if len(printed) > lineSize {
		printed = strings.ToValidUTF8(printed[:lineSize], "") + "…"
	}
	f.print(container(path) + " | " + printed)
}

func (p *position) close() {
	if p.file != nil {
		p.file.Close()
	}
}
