package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// lossEvery is how often the machine asks whether writes to its root disk were lost.
	lossEvery = 10 * time.Second
	// lossStays is how long the machine stays on after it knows of a loss, for the operator to fetch the error.
	lossStays = 10 * time.Second
	lossLine  = "writes to the machine's own disk were lost: its node has no room left, or its storage fails; the Pod is ended"
)

// losses are the errors of writes that never reached the disk. syncfs(2) has others, which say nothing of writes.
var losses = []error{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EROFS}

// watchRootDisk gives the error once if writes to the root disk are lost. A buffered write succeeds before it reaches the
// disk, so whoever wrote doesn't learn of the loss.
//
// It is PID 1 that watches: since Linux 5.8, syncfs gives each open file an error that occurred after the file was opened
// (linux/fs/sync.c, linux/lib/errseq.c). An agent that is started again would open another file, and miss the error.
func watchRootDisk() <-chan error {
	lost := make(chan error, 1)
	root, err := os.Open("/")
	if err != nil {
		console.Print("the root disk isn't watched: %v", err)
		return lost
	}
	var stat unix.Stat_t
	_ = unix.Fstat(int(root.Fd()), &stat)
	device := fmt.Sprintf("%d:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev))
	go func() {
		defer root.Close()
		lost <- awaitLoss(func() error {
			if err := unix.Syncfs(int(root.Fd())); err != nil {
				return err
			}
			return fileSystemErrors("/sys", device)
		}, lossEvery)
	}()
	return lost
}

// fileSystemErrors gives an error if an ext4 has found any on its disk. One whose journal couldn't be written takes no more
// writes, which syncfs doesn't tell of before Linux 6.15 (linux/fs/ext4/super.c, ext4_sync_fs).
func fileSystemErrors(sys, device string) error {
	block, err := os.Readlink(filepath.Join(sys, "dev/block", device))
	if err != nil {
		return err
	}
	count, err := os.ReadFile(filepath.Join(sys, "fs/ext4", filepath.Base(block), "errors_count"))
	if err != nil {
		return err
	}
	if found := strings.TrimSpace(string(count)); found != "0" {
		return fmt.Errorf("%s errors of the file system: %w", found, unix.EIO)
	}
	return nil
}

// awaitLoss returns once `sync` says that writes were lost. One call at a time: a disk may take as long as it likes.
func awaitLoss(sync func() error, every time.Duration) error {
	for ; ; time.Sleep(every) {
		if err := sync(); isLoss(err) {
			return err
		}
	}
}

func isLoss(err error) bool {
	for _, loss := range losses {
		if errors.Is(err, loss) {
			return true
		}
	}
	return false
}

// loss is what is known of lost writes.
type loss struct {
	since time.Time // zero if none are known
}

// note has the console and the agent tell of lost writes: the agent reads `file`. If there is a file `final`, the Pod had
// ended by itself and needs the disk no more: then the loss doesn't count.
func (l *loss) note(err error, file, final string, now time.Time) {
	if rundir.Exists(final) {
		return
	}
	l.since = now
	failed := rundir.Write(file, []byte(lossLine), 0o644)
	console.Print("%s (%v)", lossLine, err) // last, since the console may take no lines
	if failed != nil {
		console.Print("%v", failed)
	}
}

// over tells whether the machine ends since writes were lost.
func (l *loss) over(now time.Time) bool { return !l.since.IsZero() && now.Sub(l.since) >= lossStays }

// outcome is how the machine ends. A Pod whose disk lost writes hasn't succeeded, whatever it came to.
func (l *loss) outcome(pods string) string {
	if l.since.IsZero() {
		return pods
	}
	return "Failed"
}
