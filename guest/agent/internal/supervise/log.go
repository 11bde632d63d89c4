package supervise

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"twinhull.dev/guest/agent/internal/console"
)

const (
	logSize   = 1 << 20 // bytes; as much again is kept of what came before
	lineSize  = 8 << 10
	lastLines = 10
)

// AllLines, LogrusWarning and KlogWarning tell which lines of a child are worth the console.
func AllLines(string) bool { return true }

// harmless are warnings that these programs have in every such machine, at their start and when containers end.
var harmless = []string{
	"Configuration migrated from version", "fsverity", "failed to load cni during init", "is not unpacked",
	"Flexvolume plugin directory", "kubeclient not set", "standalone mode", "Skipping pod synchronization",
	"checkpoint is not found", "no imagefs label", "Housekeeping took longer", "async mode for boltdb",
	"addrConn.createTransport failed", "dial unix /run/containerd/containerd.sock",
	"ttrpc: received message on inactive stream", "ttrpc: closed",
	"failed sending message on channel", "Failed to create existing container",
	"Partial failure issuing cadvisor", "unable to parse PSI data", "Failed to process watch event",
	"failed to check if node is newer",
	"Image garbage collection failed", // each five minutes, if what isn't an image fills the disk
}

func isHarmless(line string) bool {
	return slices.ContainsFunc(harmless, func(known string) bool { return strings.Contains(line, known) })
}

// LogrusWarning is for containerd: time="…" level=warning msg="…".
func LogrusWarning(line string) bool {
	for _, level := range []string{"warning", "error", "fatal", "panic"} {
		if strings.Contains(line, "level="+level) {
			return !isHarmless(line)
		}
	}
	return strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "containerd:")
}

// KlogWarning is for the kubelet: W1231 …, E1231 …, F1231 …; and for the line of a Go program that panics.
func KlogWarning(line string) bool {
	if len(line) > 1 && strings.ContainsRune("WEF", rune(line[0])) && line[1] >= '0' && line[1] <= '9' {
		return !isHarmless(line)
	}
	return strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "Error:")
}

// childLog writes a child's output to a file of bounded size, shows the lines on the console that are worth it, and keeps the
// last lines for the child's end.
type childLog struct {
	child Child
	lock  sync.Mutex
	file  *os.File
	size  int64
	tail  []string
	rate  limiter
}

func openLog(child Child) *childLog {
	log := &childLog{child: child}
	log.open()
	return log
}

func (l *childLog) open() {
	file, err := os.OpenFile(l.child.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	l.file, l.size = file, 0
	if stat, err := file.Stat(); err == nil {
		l.size = stat.Size()
	}
}

func (l *childLog) copy(from io.ReadCloser) {
	defer from.Close()
	reader := bufio.NewReaderSize(from, lineSize)
	for {
		line, err := reader.ReadSlice('\n')
		if len(line) > 0 {
			l.add(strings.TrimRight(string(line), "\r\n"), time.Now())
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (l *childLog) add(line string, now time.Time) {
	if l.keep(line, now) {
		console.Line(l.child.Name + ": " + line) // without the lock, since the console may take no lines
	}
}

// keep writes a line to the file, and tells whether the console is to show it.
func (l *childLog) keep(line string, now time.Time) (isShown bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.size > logSize && l.file != nil {
		l.file.Close()
		_ = os.Rename(l.child.Log, l.child.Log+".1")
		l.open()
	}
	if l.file != nil {
		written, _ := fmt.Fprintln(l.file, line)
		l.size += int64(written)
	}
	if l.tail = append(l.tail, line); len(l.tail) > lastLines {
		l.tail = l.tail[1:]
	}
	return l.child.Shown(line) && l.rate.allow(line, now)
}

func (l *childLog) last() []string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return append([]string{}, l.tail...)
}

// limiter keeps a child that prints much, or the same line again and again, from hiding the Pod's lines.
type limiter struct {
	since time.Time
	count int
	last  string
}

const (
	burst  = 20
	window = 10 * time.Second
)

func (l *limiter) allow(line string, now time.Time) bool {
	// What comes before the first "] " or " level=" is the time of day and the like.
	for _, start := range []string{"] ", " level="} {
		_, text, found := strings.Cut(line, start)
		if found && text == l.last {
			return false
		}
		if found {
			l.last = text
			break
		}
	}
	if now.Sub(l.since) > window {
		l.since, l.count = now, 0
	}
	l.count++
	return l.count <= burst
}
