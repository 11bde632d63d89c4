package supervise

import "time"

const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	steady     = time.Minute
)

// backoff grows the pause before a start, and forgets when a child ran well.
type backoff struct{ pause time.Duration }

// next is the pause after a child that ran for so long.
func (b *backoff) next(ran time.Duration) time.Duration {
	switch {
	case ran >= steady || b.pause == 0:
		b.pause = firstPause
	default:
		b.pause = min(2*b.pause, lastPause)
	}
	return b.pause
}
