package supervise

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBackoffGrowsAndForgets(t *testing.T) {
	var failures backoff
	var got []time.Duration
	for _, ran := range []time.Duration{0, 0, 0, 0, 0, 0, 0, time.Hour, 0} {
		got = append(got, failures.next(ran)/time.Second)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 1, 2}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
}

func TestOnlyWarningsTell(t *testing.T) {
	for line, want := range map[string]bool{
		`time="2026-01-02T03:04:05Z" level=info msg="level of things"`: false,
		`time="2026-01-02T03:04:05Z" level=warning msg=x`:              true,
		`time="2026-01-02T03:04:05Z" level=error msg=x`:                true,
		"panic: oh": true,
	} {
		if LogrusWarning(line) != want {
			t.Errorf("containerd: %q", line)
		}
	}
	for line, want := range map[string]bool{
		"I0102 03:04:05.000000       1 server.go:1] x": false,
		"W0102 03:04:05.000000       1 server.go:1] x": true,
		"E0102 03:04:05.000000       1 server.go:1] x": true,
		"Failing": false, "": false, "panic: oh": true,
	} {
		if KlogWarning(line) != want {
			t.Errorf("kubelet: %q", line)
		}
	}
}

func TestALogIsBoundedAndKeepsTheLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	log := openLog(Child{Log: path, Shown: func(string) bool { return false }})
	long := strings.Repeat("x", 4000)
	for range 1000 {
		log.add(long, time.Now())
	}
	log.add("the end", time.Now())
	for _, file := range []string{path, path + ".1"} {
		stat, err := os.Stat(file)
		if err != nil || stat.Size() > logSize+5000 {
			t.Errorf("%s: %v, %v", file, stat, err)
		}
	}
	if last := log.last(); len(last) != lastLines || last[lastLines-1] != "the end" {
		t.Errorf("got %d lines", len(last))
	}
}

func TestALimiterBoundsABurst(t *testing.T) {
	var limit limiter
	now, allowed := time.Unix(1000, 0), 0
	for range 100 {
		if limit.allow("x", now) {
			allowed++
		}
	}
	if allowed != burst || !limit.allow("x", now.Add(window+time.Second)) {
		t.Errorf("allowed %d", allowed)
	}
	limit = limiter{}
	for _, c := range []struct {
		line string
		want bool
	}{{"E1 03:04 file.go:1] same", true}, {"E1 03:05 file.go:1] same", false}, {"E1 03:05 file.go:1] other", true}} {
		if limit.allow(c.line, now) != c.want {
			t.Errorf("%s: told or not", c.line)
		}
	}
}

func TestAChildThatIsToBeRestartedIsSoAtOnce(t *testing.T) {
	folder := t.TempDir()
	marks := filepath.Join(folder, "marks")
	s := New()
	s.Keep(Child{
		Name: "sleeper", Command: []string{"sh", "-c", "echo started >> " + marks + "; exec sleep 600"},
		Log: filepath.Join(folder, "log"), Shown: AllLines,
	}, Always)
	started := func(times int) {
		t.Helper()
		deadline := time.Now().Add(3 * time.Minute)
		for data := ""; strings.Count(data, "started") != times; time.Sleep(10 * time.Millisecond) {
			read, _ := os.ReadFile(marks)
			data = string(read)
			if time.Now().After(deadline) {
				t.Fatalf("started %d times, not %d", strings.Count(data, "started"), times)
			}
		}
	}
	s.Restart("sleeper") // it may not even run yet
	s.Restart("other")
	started(1)
	s.Restart("sleeper")
	started(2)
	s.StopAll(5 * time.Second)
}
