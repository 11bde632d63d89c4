package agent

import (
	"errors"
	"time"

	"twinhull.dev/guest/agent/internal/attach"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/timeout"
)

const (
	// shareLimit is how long a filesystem claim may take to be written to where it comes from, if somebody ends the Pod: its
	// virtiofsd may be gone.
	shareLimit = 5 * time.Second
	// ownEndLimit is how long it may take if the Pod has ended by itself. Its virtiofsd runs, and nobody waits.
	ownEndLimit = time.Minute
	// standstill is how long nothing may be written to the claims that are disks, until they aren't waited for any more.
	standstill = time.Minute
)

// claimFlush is how far it is to write what ended containers wrote to claims to where they come from.
type claimFlush struct {
	shares, disks         timeout.Call[struct{}]
	sharesDone, disksDone bool
	written               uint64    // to the disks, in sectors
	moved                 time.Time // when `written` last went up
}

// flush has what ended containers wrote to claims written to where they come from. It tells when that is done, has failed or
// takes too long.
func (a *Agent) flush() bool {
	claims, attachments := &a.end.claims, a.manifest.Attachments
	if !claims.sharesDone {
		claims.sharesDone = a.isFlushed(&claims.shares, func() error { return attach.FlushShares(attachments) }, a.sharesTakeTooLong)
	}
	if !claims.disksDone {
		claims.disksDone = a.isFlushed(&claims.disks, func() error { return attach.FlushDisks(attachments) }, a.disksTakeTooLong)
	}
	return claims.sharesDone && claims.disksDone
}

// isFlushed begins to write, or goes on to wait for it, and tells whether there is nothing left to wait for.
func (a *Agent) isFlushed(call *timeout.Call[struct{}], write func() error, tooLong func(time.Duration) bool) bool {
	_, err := call.Wait(unansweredLimit, func() (struct{}, error) { return struct{}{}, write() })
	if late := (timeout.Late{}); errors.As(err, &late) && !tooLong(late.For) {
		return false
	}
	if err != nil {
		console.Print("what the Pod wrote to its claims may not be on them: %v", err)
	}
	return true
}

// sharesTakeTooLong tells whether filesystem claims aren't waited for any more.
func (a *Agent) sharesTakeTooLong(elapsed time.Duration) bool {
	if a.state.stop.isAsked() {
		return elapsed >= shareLimit
	}
	return elapsed >= ownEndLimit
}

// disksTakeTooLong tells whether the claims that are disks aren't waited for any more. This kernel writes them itself, however
// many GiB are in memory. If the operator has the Pod ended, they have the Pod's time, and then boot writes them. If the machine
// is to be powered off, boot counts.
func (a *Agent) disksTakeTooLong(time.Duration) bool {
	claims, now := &a.end.claims, time.Now()
	if written := a.written(a.manifest.Attachments); claims.moved.IsZero() || written != claims.written {
		claims.written, claims.moved = written, now
	}
	return now.Sub(claims.moved) >= standstill || a.state.stop.isOverdue(a.gracePeriod())
}
