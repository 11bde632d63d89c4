package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTextOfALine(t *testing.T) {
	for line, want := range map[string]string{
		"2026-01-02T03:04:05.6Z stdout F hello world":   "hello world",
		"2026-01-02T03:04:05.6Z stderr P half\r\x00 of": "half of",
		"2026-01-02T03:04:05.6Z stdout F ":              "",
		"2026-01-02T03:04:05.6Z stdout F":               "",
	} {
		if got, ok := text([]byte(line)); !ok || got != want {
			t.Errorf("%q: got %q, %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "what is this", "2026 stdin F x"} {
		if got, ok := text([]byte(line)); ok {
			t.Errorf("%q is read as %q", line, got)
		}
	}
}

// log is a folder of containers' logs, and what a follower printed of them.
type log struct {
	t       *testing.T
	folder  string
	printed []string
}

func (l *log) follower() *Follower {
	return &Follower{
		pattern: l.folder + "/*/*/*.log", state: l.folder + "/state.json", read: map[string]*position{},
		print: func(line string) { l.printed = append(l.printed, line) },
	}
}

func (l *log) write(file, text string) {
	l.t.Helper()
	path := filepath.Join(l.folder, "ns_pod_uid", file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	out, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer out.Close()
	fmt.Fprint(out, text)
}

func (l *log) printedNow(want ...string) {
	l.t.Helper()
	if !reflect.DeepEqual(l.printed, want) {
		l.t.Errorf("got %q, want %q", l.printed, want)
	}
	l.printed = nil
}

func TestFollowsLinesRestartsAndRotation(t *testing.T) {
	l := &log{t: t, folder: t.TempDir()}
	f := l.follower()
	f.Copy()
	l.printedNow()

	l.write("web/0.log", "t stdout F one\nt stdout F tw")
	f.Copy()
	l.printedNow("web | one")
	l.write("web/0.log", "o\n")
	l.write("db/0.log", "t stderr F ready\n")
	f.Copy()
	l.printedNow("db | ready", "web | two")
	f.Copy()
	l.printedNow()

	l.write("web/0.log", "t stdout F before\n")
	web := filepath.Join(l.folder, "ns_pod_uid", "web")
	if err := os.Rename(web+"/0.log", web+"/0.log.20260102-030405"); err != nil {
		t.Fatal(err)
	}
	l.write("web/0.log", "t stdout F after\n")
	l.write("web/1.log", "t stdout F restarted\n")
	f.Copy()
	l.printedNow("web | before", "web | after", "web | restarted")
}

func TestGoesOnWhereAnotherStopped(t *testing.T) {
	l := &log{t: t, folder: t.TempDir()}
	l.write("web/0.log", "t stdout F one\nt stdout F ha")
	l.follower().Copy()
	l.printedNow("web | one")
	l.write("web/0.log", "lf\n")
	second := l.follower()
	if err := readState(second); err != nil {
		t.Fatal(err)
	}
	second.Copy()
	l.printedNow("web | half")
}

func TestTheConsoleIsNotFlooded(t *testing.T) {
	l := &log{t: t, folder: t.TempDir()}
	l.write("web/0.log", strings.Repeat("t stdout F x\n", burst+7)+"t stdout F "+strings.Repeat("y", 9)+"\n")
	f := l.follower()
	f.Copy()
	if last := l.printed[len(l.printed)-1]; len(l.printed) != burst+1 || last != "twinhull: web says more than the console shows: 8 lines left out" {
		t.Errorf("%d lines, the last %q", len(l.printed), last)
	}
	l.printed = nil
	l.write("web/0.log", "t stdout F "+strings.Repeat("é", lineSize)+"\n")
	f.Copy()
	if len(l.printed) != 1 || len(l.printed[0]) > lineSize+20 {
		t.Errorf("a line of %d", len(l.printed[0]))
	}
}
