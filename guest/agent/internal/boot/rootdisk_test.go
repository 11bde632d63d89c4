package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheRootDiskIsAskedUntilWritesWereLost(t *testing.T) {
	for _, want := range []error{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EROFS} {
		answers := []error{nil, unix.EBADF, nil, fmt.Errorf("sync: %w", want), nil}
		asked, under := 0, 0
		got := awaitLoss(func() error {
			under++
			defer func() { under--; asked++ }()
			if under > 1 {
				t.Error("the disk is asked twice at a time")
			}
			return answers[asked]
		}, 0)
		if !errors.Is(got, want) || asked != 4 {
			t.Errorf("%v: got %v after %d", want, got, asked)
		}
	}
}

func TestAMachineThatLostWritesFailsAfterTheOperatorHadTimeToLearnIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lost")
	now := time.Unix(1000, 0)
	var l loss
	if l.over(now) || l.outcome("Succeeded") != "Succeeded" {
		t.Error("a machine ends that lost nothing")
	}
	if l.note(unix.EIO, file, t.TempDir(), now); l.over(now.Add(time.Hour)) {
		t.Error("the machine of a Pod that has ended fails")
	}
	l.note(unix.EIO, file, file+"-final", now)
	if line, err := os.ReadFile(file); err != nil || string(line) != lossLine {
		t.Errorf("the agent is told %q, %v", line, err)
	}
	for elapsed, want := range map[time.Duration]bool{0: false, lossStays - 1: false, lossStays: true} {
		if got := l.over(now.Add(elapsed)); got != want {
			t.Errorf("after %s: %v", elapsed, got)
		}
	}
	for _, outcome := range []string{"", "Succeeded", "Failed"} {
		if !endingOf(l.outcome(outcome), time.Time{}).failed {
			t.Errorf("%q: the machine ends well", outcome)
		}
	}
}

func TestAFileSystemWhoseJournalCantBeWrittenHasLostWrites(t *testing.T) {
	for count, want := range map[string]bool{"0\n": false, "1\n": true} {
		sys := t.TempDir()
		for _, name := range []string{"vda", "vdb"} {
			if err := os.MkdirAll(filepath.Join(sys, "fs/ext4", name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(sys, "dev/block"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../devices/block/vda", filepath.Join(sys, "dev/block/254:0")); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{"vda": count, "vdb": "7\n"} { // vdb is a claim
			if err := os.WriteFile(filepath.Join(sys, "fs/ext4", name, "errors_count"), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := fileSystemErrors(sys, "254:0"); isLoss(err) != want || !want && err != nil {
			t.Errorf("%q: got %v", count, err)
		}
		if err := fileSystemErrors(sys, "254:1"); isLoss(err) {
			t.Errorf("what isn't known is a loss: %v", err)
		}
	}
}
