package console

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	// patience is how long a line is waited for that the terminal doesn't take. QEMU's serial port takes nothing while a client
	// of the console is connected that doesn't read.
	patience = time.Second
	// retryPatience is how long a terminal that is known to be stopped is waited for, which is tried every retryPause. It is for the
	// short line that tells of those left out: a terminal has room for 4 KiB (linux/drivers/tty/n_tty.c), which a long one exceeds.
	retryPatience = 10 * time.Millisecond
	retryPause    = time.Second
)

// terminal writes lines for as long as somebody takes them. While nobody does, lines are left out: the machine mustn't wait for
// whoever watches its console.
type terminal struct {
	path     string
	patience time.Duration
	lock     sync.Mutex
	leftOut  int       // lines since the terminal stopped, zero while it takes lines
	tornOff  bool      // the last line that was begun isn't whole
	retryAt  time.Time // when a stopped terminal is tried again
}

// write writes a line, or counts it as left out.
func (t *terminal) write(line string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if time.Now().Before(t.retryAt) {
		t.leftOut++
		return
	}
	out, err := os.OpenFile(t.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, line)
		return
	}
	defer out.Close()
	if t.leftOut > 0 && !t.put(out, t.missing(), min(retryPatience, t.patience)) {
		return
	}
	t.put(out, line+"\n", t.patience) // the terminal makes \r\n of it
}

// put writes whole lines, and tells whether the terminal has taken them in time.
func (t *terminal) put(out *os.File, lines string, patience time.Duration) bool {
	// A device for which there are no deadlines, such as /dev/null, doesn't stop either.
	_ = out.SetWriteDeadline(time.Now().Add(patience))
	written, err := out.WriteString(lines)
	t.note(written, err)
	return err == nil
}

// missing says how many lines were left out, and ends a line that isn't whole.
func (t *terminal) missing() string {
	text := fmt.Sprintf("twinhull: the console took no more lines: %d left out\n", t.leftOut)
	if t.tornOff {
		return "\n" + text
	}
	return text
}

// note notes what became of a write.
func (t *terminal) note(written int, err error) {
	if err == nil {
		t.leftOut, t.tornOff, t.retryAt = 0, false, time.Time{}
		return
	}
	t.leftOut++
	t.tornOff = t.tornOff || written > 0
	t.retryAt = time.Now().Add(retryPause)
}
