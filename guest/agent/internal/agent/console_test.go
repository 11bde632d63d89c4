package agent

import (
	"errors"
	"testing"
	"time"

	"twinhull.dev/guest/agent/internal/console/consoletest"
)

func TestTheGuestAnswersThoughTheConsoleTakesNoLines(t *testing.T) {
	for what, do := range map[string]func(*Agent){
		"trouble": func(a *Agent) { a.state.setTrouble(errors.New("trouble")) },
		"stale":   func(a *Agent) { a.state.setStale(errors.New("trouble")) },
		"stop":    func(a *Agent) { a.askStop() },
	} {
		t.Run(what, func(t *testing.T) {
			agent := runningAgent(t)
			consoletest.Stopped(t, time.Hour)
			consoletest.Eventually(t, what, func() { do(agent) }, func() bool {
				answer := make(chan bool, 1)
				go func() {
					status := agent.state.status()
					answer <- status.Error != "" || status.Stop == "asked"
				}()
				select {
				case isDone := <-answer:
					return isDone
				case <-time.After(10 * time.Second):
					return false
				}
			})
		})
	}
}
