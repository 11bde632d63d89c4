// Package timeout waits for work that may never end, and only for a limited time. A read from a virtiofs whose server is gone is
// such work: not even a signal ends its thread (linux/fs/fuse/dev.c, request_wait_answer), and
// its connection can't be aborted (linux/fs/fuse/virtio_fs.c, virtio_fs_ctx_set_defaults: no_control, no_force_umount).
package timeout

import "time"

// Late is the error of work that hasn't ended yet.
type Late struct {
	// For is how long the work has taken so far.
	For time.Duration
}

func (Late) Error() string { return "there is no answer yet" }

type result[T any] struct {
	value T
	err   error
}

// Call does one piece of work at a time, so that work that never ends costs one thread. Its zero value is ready. Only
// one goroutine may use it.
type Call[T any] struct {
	running chan result[T]
	began   time.Time
}

// Wait begins the work, unless it is under way since an earlier Wait, and gives what the work came to, or Late if that
// isn't known within the limit.
func (c *Call[T]) Wait(limit time.Duration, work func() (T, error)) (T, error) {
	if c.running == nil {
		running := make(chan result[T], 1)
		go func() {
			value, err := work()
			running <- result[T]{value, err}
		}()
		c.running, c.began = running, time.Now()
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case done := <-c.running:
		c.running = nil
		return done.value, done.err
	case <-timer.C:
		var none T
		return none, Late{time.Since(c.began)}
	}
}
