package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/timeout"
)

// within fails unless a round's part returns in time, though a virtiofs never unansweredLimit.
func within(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { do(); close(done) }()
	select {
	case <-done:
	case <-time.After(unansweredLimit + 3*time.Minute):
		t.Fatal("the round hangs")
	}
}

func TestARoundGoesOnThoughAVolumeCantBeRead(t *testing.T) {
	t.Parallel()
	agent := runningAgent(t)
	_, _ = agent.volumes.reading.Wait(0, func() (kube.Objects, error) { select {} })
	within(t, agent.refreshVolumes)
	if trouble := agent.state.status().Error; !strings.Contains(trouble, "no answer") {
		t.Errorf("got %q", trouble)
	}
}

func TestThePodsStartIsTriedAgainThoughAVolumeCantBeRead(t *testing.T) {
	t.Parallel()
	agent := runningAgent(t)
	_, _ = agent.starting.attaching.Wait(0, func() (attached, error) { select {} })
	within(t, func() {
		if err := agent.tryStart(); !isUnanswered(err, startLimit) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAClaimWithoutAnAnswerHoldsUpTheEndOnlySoLong(t *testing.T) {
	t.Parallel()
	agent := runningAgent(t)
	mark(t, agent.files, rundir.PowerOff)
	_, _ = agent.end.claims.shares.Wait(0, func() (struct{}, error) { select {} })
	var began time.Time
	within(t, func() {
		began = time.Now()
		if agent.flush() {
			t.Error("the claim isn't waited for")
		}
	})
	for time.Since(began) < shareLimit+3*time.Minute && !agent.flush() {
	}
	if took := time.Since(began); took > shareLimit+unansweredLimit+time.Minute {
		t.Errorf("it took %s", took)
	}
}

func TestOnlyAnAnswerThatMayStillComeIsLate(t *testing.T) {
	for want, err := range map[bool]error{
		true:  fmt.Errorf("volumes: %w", timeout.Late{For: time.Second}),
		false: errors.Join(timeout.Late{For: time.Minute}),
	} {
		if got := isUnanswered(err, startLimit); got != want {
			t.Errorf("%v: got %v", err, got)
		}
	}
	if isUnanswered(nil, startLimit) || isUnanswered(errors.New("else"), startLimit) {
		t.Error("what has ended is late")
	}
}
