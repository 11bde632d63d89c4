package supervise

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/console/consoletest"
)

func TestAChildsLogIsKeptThoughTheConsoleTakesNoLines(t *testing.T) {
	consoletest.Stopped(t, time.Hour)
	log := openLog(Child{Name: "child", Log: filepath.Join(t.TempDir(), "log"), Shown: AllLines})
	last := make(chan []string, 1)
	consoletest.Eventually(t, "the last lines", func() { log.add("one", time.Now()) }, func() bool {
		go func() { last <- log.last() }()
		select {
		case lines := <-last:
			return slices.Contains(lines, "one")
		case <-time.After(10 * time.Second):
			return false
		}
	})
}
