package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/rundir"
)

// ordersIn are orders in a folder of the test's own, of which some are given now.
func ordersIn(t *testing.T, given ...string) orders {
	t.Helper()
	folder := t.TempDir()
	for _, name := range given {
		if _, err := rundir.Mark(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return orders{filepath.Join(folder, "button"), filepath.Join(folder, "asked"), filepath.Join(folder, "stopped")}
}

// ago has a file say that it was written so long ago.
func ago(t *testing.T, path string, elapsed time.Duration) {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		t.Fatal(err)
	}
	at := time.Duration(now.Nano()) - elapsed - time.Millisecond // or rounding could make it less
	if err := os.WriteFile(path, fmt.Appendf(nil, "%.3f", at.Seconds()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheStatusTellsHowFarTheEndIsThatTheOperatorAskedFor(t *testing.T) {
	for want, given := range map[string][][]string{
		"none":  {nil, {"button"}, {"button", "stopped"}},
		"asked": {{"asked"}, {"asked", "button"}},
		"done":  {{"asked", "stopped"}, {"asked", "stopped", "button"}},
	} {
		for _, files := range given {
			if got := ordersIn(t, files...).said(); got != want {
				t.Errorf("%q: got %s", files, got)
			}
		}
	}
}

func TestAMachineStaysOnForTheOperatorToDeleteItButNotForEver(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		since time.Duration // the Pod has been ended
		want  bool
	}{
		"nothing is asked":               {nil, 0, false},
		"the Pod is being ended":         {[]string{"asked"}, 0, false},
		"the Pod was ended":              {[]string{"asked", "stopped"}, time.Minute, false},
		"nobody deletes the machine":     {[]string{"asked", "stopped"}, 5 * time.Minute, true},
		"the button is pressed, too":     {[]string{"asked", "stopped", "button"}, 0, true},
		"only the button was pressed":    {[]string{"stopped", "button"}, 0, true},
		"the button, the Pod still runs": {[]string{"button"}, 0, false},
	} {
		orders := ordersIn(t, c.files...)
		if rundir.Exists(orders.stopped) {
			ago(t, orders.stopped, c.since)
		}
		if got := orders.over(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAPodHasItsGracePeriodAndSomeTimeFromWhenItWasFirstAskedToStop(t *testing.T) {
	orders := ordersIn(t, "asked")
	for elapsed, want := range map[time.Duration]bool{0: false, 39 * time.Second: false, 41 * time.Second: true} {
		ago(t, orders.asked, elapsed)
		if got := orders.late(30 * time.Second); got != want {
			t.Errorf("after %s: got %v", elapsed, got)
		}
	}
	if ordersIn(t, "button").late(0) {
		t.Error("a Pod is late that the operator didn't ask to stop")
	}
}

func TestAPodThatDoesntEndInItsTimeIsDone(t *testing.T) {
	agent := running(t)
	agent.state.orders = ordersIn(t, "asked")
	unanswered := errors.New("the kubelet doesn't answer")
	agent.stop(nil, unanswered)
	if got := agent.state.status().Stop; got != "asked" {
		t.Errorf("got %s", got)
	}
	ago(t, agent.state.orders.asked, time.Minute)
	agent.stop(nil, unanswered)
	if got := agent.state.status().Stop; got != "done" {
		t.Errorf("got %s", got)
	}
}

func TestAskingToStopIsTakenOnceAndAtOnce(t *testing.T) {
	agent := running(t)
	agent.state.saw(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
	if is, _ := agent.state.ready(); !is {
		t.Fatal("not ready")
	}
	if code, why := agent.askStop(); code != 202 || why != "" {
		t.Errorf("%d %q", code, why)
	}
	if is, why := agent.state.ready(); is || why != "the machine is shutting down" {
		t.Errorf("%v, %q", is, why)
	}
	if answer := agent.state.status(); answer.Stop != "asked" || answer.Final {
		t.Errorf("%+v", answer)
	}
	ago(t, agent.state.orders.asked, time.Minute)
	if code, _ := agent.askStop(); code != 202 {
		t.Errorf("%d", code)
	}
	if since, _ := rundir.Since(agent.state.orders.asked); since < time.Minute {
		t.Errorf("asking again gives the Pod more time: asked %s ago", since)
	}
}

func TestAskingToStopThatCantBeKeptIsRefused(t *testing.T) {
	agent := running(t)
	agent.state.orders.asked = "/proc/asked"
	if code, why := agent.askStop(); code != 503 || why == "" {
		t.Errorf("%d %q", code, why)
	}
	if is, why := agent.state.ready(); why == "the machine is shutting down" {
		t.Errorf("%v, %q", is, why)
	}
}

func TestAnAgentStartedAnewKnowsThatThePodHadEnded(t *testing.T) {
	folder := t.TempDir()
	effect, final := filepath.Join(folder, "effect"), filepath.Join(folder, "final")
	fresh := newState("1")
	fresh.restore(effect, final)
	if answer := fresh.status(); answer.Final || len(answer.Pod) > 0 || answer.Manifest != "" {
		t.Errorf("%+v", answer)
	}
	pod := kubetest.Object(t, `{"metadata": {"name": "web-1"}, "status": {"phase": "Failed", "containerStatuses": [
		{"name": "web", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}`)
	if err := rundir.WriteJSON(final, pod, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := rundir.Write(effect, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	anew := newState("1")
	anew.restore(effect, final)
	answer := anew.status()
	if !answer.Final || answer.Manifest != "abc" || kube.Text(kube.Map(answer.Pod, "status"), "phase") != "Failed" {
		t.Errorf("%+v", answer)
	}
	if got := exits(anew.seen()); got != ", web 3 (Error)" {
		t.Errorf("got %q", got)
	}
}
