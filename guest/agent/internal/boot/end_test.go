package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/mounts"
)

func TestTheMachineEndsThoughAWriteNeverDoes(t *testing.T) {
	began := time.Now()
	writing := uint64(0)
	ending{until: began.Add(-time.Minute)}.writeOut(func() error { select {} }, func() uint64 { writing++; return writing })
	if took := time.Since(began); took < writePatience || took > writePatience+time.Minute {
		t.Errorf("it took %s", took)
	}
}

func TestDisksAreWrittenForAsLongAsThePodHasTime(t *testing.T) {
	written := false
	ending{until: time.Now().Add(time.Minute)}.writeOut(func() error {
		time.Sleep(writePatience + 200*time.Millisecond)
		written = true
		return errors.New("full")
	}, nothing)
	if !written {
		t.Error("the write was given up")
	}
	if until := endingOf("Succeeded", time.Time{}).until; time.Until(until) <= writePatience {
		t.Errorf("without a deadline a write may take until %s", until)
	}
}

// nothing is written.
func nothing() uint64 { return 0 }

func TestIfNobodyWantsTheMachineOffDisksAreWrittenForAsLongAsTheyTake(t *testing.T) {
	if e := endingOf("Succeeded", time.Now()); e.standstill != 0 {
		t.Error("somebody wants the machine off, and the disks may take as long as they like")
	}
	if e := endingOf("Succeeded", time.Time{}); e.standstill != unaskedLimit {
		t.Errorf("%+v", e)
	}
	for name, c := range map[string]struct {
		written func() uint64
		want    bool
	}{
		"a slow disk":    {func() uint64 { return uint64(time.Now().UnixNano()) }, true},
		"a hanging disk": {nothing, false},
	} {
		var isWritten atomic.Bool
		release := make(chan struct{})
		time.AfterFunc(2*writePatience, func() { close(release) })
		ending{until: time.Now(), standstill: 100 * time.Millisecond}.writeOut(
			func() error { <-release; isWritten.Store(true); return nil }, c.written)
		if isWritten.Load() != c.want {
			t.Errorf("%s: written %v", name, !c.want)
		}
		<-release
	}
}

func TestTheTimeBeyondThePodsOwnIsThatOfKubeVirt(t *testing.T) {
	const own = 15 * time.Second // GUEST_GRACE of the operator's hulls/machine.py
	if all := margin + patience + termPatience + killPatience + writePatience; all > own-2*time.Second {
		t.Errorf("ending takes %s", all)
	}
}

func TestOnlyFileSystemsOnDisksAreWaitedFor(t *testing.T) {
	list := []mounts.Mount{
		{At: "/", Kind: "ext4", Source: "/dev/vda"},
		{At: "/run/twinhull/attachments/claim-0", Kind: "virtiofs", Source: "claim-0"},
		{At: "/var/lib/kubelet/pods/1/volumes/data", Kind: "xfs", Source: "/dev/vdb"},
		{At: "/run", Kind: "tmpfs", Source: "tmpfs"},
	}
	if got := diskMounts(list); !reflect.DeepEqual(got, []string{"/var/lib/kubelet/pods/1/volumes/data"}) {
		t.Errorf("got %q", got)
	}
}

func TestAllDisksAreWrittenButTheRootDisk(t *testing.T) {
	sys := t.TempDir()
	for name, number := range map[string]string{"vda": "254:0\n", "vdb": "254:16\n", "vdc": "254:1\n", "loop0": "7:0\n"} {
		folder := filepath.Join(sys, name)
		if name != "loop0" {
			folder = filepath.Join(folder, "device") // which only a disk of the machine has
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sys, name, "dev"), []byte(number), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := disks(sys, 254, 0)
	slices.Sort(got)
	if !reflect.DeepEqual(got, []string{"/dev/vdb", "/dev/vdc"}) {
		t.Errorf("got %q", got)
	}
}

func TestEachFileIsDoneThoughAnotherFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 2)
	err := each([]string{file + "-gone", file}, func(file int) error { done <- file; return nil })
	if !errors.Is(err, os.ErrNotExist) || len(done) != 1 {
		t.Errorf("got %v, done %d", err, len(done))
	}
}

func TestOnlyProcessesThatRunAreWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		pid  int
		stat string
		want bool
	}{
		"a container's":        {40, "40 (web) S 1 40 40 0 -1 4194560 0", true},
		"one in a dead share":  {40, "40 (web) D 1 40 40 0 -1 4194560 0", true},
		"an odd name":          {40, "40 (a) Z (b) S 1 40 40 0 -1 4194560 0", true},
		"one that has ended":   {40, "40 (web) Z 1 40 40 0 -1 4194564 0", false},
		"the kernel's":         {40, "40 (kworker/0:1) I 2 0 0 0 -1 69238880 0", false},
		"PID 1":                {1, "1 (twinhull-guest) S 0 1 1 0 -1 4194560 0", false},
		"one that just ended":  {40, "", false},
		"something unforeseen": {40, "40 (web", false},
	} {
		proc := t.TempDir()
		folder := filepath.Join(proc, fmt.Sprint(c.pid))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "stat"), []byte(c.stat), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := othersRun(proc); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAMachineWhosePodIsEndedAlreadyEndsAtOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		deadline time.Time
		stopped  bool
		want     bool
	}{
		"nobody wants it off":                 {time.Time{}, false, false},
		"the operator has its Pod ended":      {time.Time{}, true, false},
		"the Pod is being ended":              {now.Add(time.Second), false, false},
		"the Pod had been ended":              {now.Add(time.Hour), true, true},
		"the Pod's time is over":              {now.Add(-time.Second), false, true},
		"it is over, and the Pod is gone too": {now.Add(-time.Second), true, true},
	} {
		if got, why := isOver(c.deadline, now, c.stopped); got != c.want || got && why == "" {
			t.Errorf("%s: got %v, %q", name, got, why)
		}
	}
}
