package agent

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

// requestWith is a request of a machine that has these files now.
func requestWith(t *testing.T, paths ...string) stopRequest {
	t.Helper()
	files := rundir.Machine{Folder: t.TempDir()}
	mark(t, files, paths...)
	return stopRequest{files}
}

// setAge has a file say that it was written so long ago.
func setAge(t *testing.T, path string, age time.Duration) {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		t.Fatal(err)
	}
	at := time.Duration(now.Nano()) - age - time.Millisecond // or rounding could make it less
	if err := os.WriteFile(path, fmt.Appendf(nil, "%.3f", at.Seconds()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheStatusTellsHowFarTheEndIsThatTheOperatorAskedFor(t *testing.T) {
	for want, given := range map[string][][]string{
		"none":  {nil, {rundir.PowerOff}, {rundir.PowerOff, rundir.Stopped}},
		"asked": {{rundir.StopAsked}, {rundir.StopAsked, rundir.PowerOff}},
		"done":  {{rundir.StopAsked, rundir.Stopped}, {rundir.StopAsked, rundir.Stopped, rundir.PowerOff}},
	} {
		for _, files := range given {
			if got := requestWith(t, files...).progress(); got != want {
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
		"the Pod is being ended":         {[]string{rundir.StopAsked}, 0, false},
		"the Pod was ended":              {[]string{rundir.StopAsked, rundir.Stopped}, time.Minute, false},
		"nobody deletes the machine":     {[]string{rundir.StopAsked, rundir.Stopped}, 5 * time.Minute, true},
		"the button is pressed, too":     {[]string{rundir.StopAsked, rundir.Stopped, rundir.PowerOff}, 0, true},
		"only the button was pressed":    {[]string{rundir.Stopped, rundir.PowerOff}, 0, true},
		"the button, the Pod still runs": {[]string{rundir.PowerOff}, 0, false},
	} {
		request := requestWith(t, c.files...)
		if request.files.Exists(rundir.Stopped) {
			setAge(t, request.files.Path(rundir.Stopped), c.since)
		}
		if got := request.machineMayEnd(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAPodHasItsGracePeriodAndSomeTimeFromWhenItWasFirstAskedToStop(t *testing.T) {
	request := requestWith(t, rundir.StopAsked)
	for elapsed, want := range map[time.Duration]bool{0: false, 31 * time.Second: false, 41 * time.Second: true} {
		setAge(t, request.files.Path(rundir.StopAsked), elapsed)
		if got := request.isOverdue(30 * time.Second); got != want {
			t.Errorf("after %s: got %v", elapsed, got)
		}
	}
	if requestWith(t, rundir.PowerOff).isOverdue(0) {
		t.Error("a Pod is late that the operator didn't ask to stop")
	}
}

func TestAPodThatDoesntEndInItsTimeIsDone(t *testing.T) {
	agent := runningAgent(t)
	mark(t, agent.files, rundir.StopAsked)
	agent.kubelet.err = errors.New("the kubelet doesn't answer")
	agent.stopPod()
	if got := agent.state.status().Stop; got != "asked" {
		t.Errorf("got %s", got)
	}
	setAge(t, agent.files.Path(rundir.StopAsked), time.Minute)
	agent.stopPod()
	if got := agent.state.status().Stop; got != "done" {
		t.Errorf("got %s", got)
	}
}

func TestAKubeletThatComesBackDoesntStartAPodThatIsDone(t *testing.T) {
	for name, stop := range map[string]func(*Agent){
		"the Pod ran":         func(a *Agent) { a.round() },
		"before it could run": func(a *Agent) { a.endUnprepared() },
	} {
		agent := runningAgent(t)
		agent.kubelet.client = &answers{err: unix.ECONNREFUSED}
		mark(t, agent.files, rundir.StaticPod, rundir.StopAsked)
		stop(agent)
		if !agent.files.Exists(rundir.StaticPod) || agent.files.Exists(rundir.Stopped) {
			t.Errorf("%s: it isn't waited for", name)
		}
		setAge(t, agent.files.Path(rundir.StopAsked), time.Minute)
		stop(agent)
		if agent.files.Exists(rundir.StaticPod) || !agent.files.Exists(rundir.Stopped) {
			t.Errorf("%s: the Pod's file is still there, or the Pod isn't done", name)
		}
	}
}

func TestAPodThatIsEndedWhileASidecarRunsHasntSucceededYet(t *testing.T) {
	for phase, want := range map[string]string{kubelet.Succeeded: "interrupted", kubelet.Failed: kubelet.Failed} {
		agent := runningAgent(t)
		pod := kubetest.Object(t, fmt.Sprintf(`{"metadata": {"name": "web-1abc"}, "status": {"phase": %q, "containerStatuses": [
			{"name": "web", "state": {"terminated": {}}}, {"name": "side", "state": {"running": {}}}]}}`, phase))
		agent.kubelet.client = &answers{pods: []kube.Object{pod}}
		if err := agent.files.Write(rundir.Outcome, []byte("interrupted"), 0o644); err != nil {
			t.Fatal(err)
		}
		mark(t, agent.files, rundir.StaticPod, rundir.PowerOff)
		agent.round()
		if got := agent.files.Outcome(); got != want || agent.files.Exists(rundir.StaticPod) {
			t.Errorf("%s: the outcome is %s", phase, got)
		}
	}
}

func TestAPodIsEndedOnceItsKubeletKnowsItAgain(t *testing.T) {
	agent := runningAgent(t)
	client := &answers{err: unix.ECONNREFUSED}
	agent.kubelet.client = client
	mark(t, agent.files, rundir.StaticPod, rundir.StopAsked)
	pod := kubetest.Object(t, `{"metadata": {"name": "web-1abc"}, "status": {"phase": "Running"}}`)
	for _, step := range []struct {
		what   string
		answer answers
		want   bool // the Pod's file is still there
	}{
		{"the kubelet is down", answers{err: unix.ECONNREFUSED}, true},
		{"it comes up", answers{}, true},
		{"it has the Pod", answers{pods: []kube.Object{pod}}, false},
	} {
		*client = step.answer
		agent.round()
		if got := agent.files.Exists(rundir.StaticPod); got != step.want {
			t.Errorf("%s: the file is there: %v", step.what, got)
		}
	}
}

func TestAPodThatTheKubeletDoesntTakeIsEndedAtOnce(t *testing.T) {
	for name, silent := range map[string]time.Time{"never": {}, "long ago": time.Now().Add(-unlistedLimit)} {
		agent := runningAgent(t)
		agent.kubelet.client, agent.kubelet.silent = &answers{}, silent
		mark(t, agent.files, rundir.StaticPod, rundir.StopAsked)
		agent.round()
		if agent.files.Exists(rundir.StaticPod) {
			t.Errorf("the kubelet was started %s: its Pod isn't ended", name)
		}
	}
}

func TestAskingToStopIsTakenOnceAndAtOnce(t *testing.T) {
	agent := runningAgent(t)
	agent.state.setPod(kubetest.Object(t, `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`))
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
	setAge(t, agent.files.Path(rundir.StopAsked), time.Minute)
	if code, _ := agent.askStop(); code != 202 {
		t.Errorf("%d", code)
	}
	if since, _ := agent.files.Since(rundir.StopAsked); since < time.Minute {
		t.Errorf("asking again gives the Pod more time: asked %s ago", since)
	}
}

func TestAskingToStopThatCantBeKeptIsRefused(t *testing.T) {
	agent := runningAgent(t)
	agent.files.Folder = "/proc"
	if code, why := agent.askStop(); code != 503 || why == "" {
		t.Errorf("%d %q", code, why)
	}
	if is, why := agent.state.ready(); why == "the machine is shutting down" {
		t.Errorf("%v, %q", is, why)
	}
}

func TestAnAgentThatIsStartedAgainKnowsThatThePodHadEnded(t *testing.T) {
	files := rundir.Machine{Folder: t.TempDir()}
	if answer := newAgent("1", files).state.status(); answer.Final || len(answer.Pod) > 0 || answer.Manifest != "" {
		t.Errorf("%+v", answer)
	}
	pod := kubetest.Object(t, `{"metadata": {"name": "web-1"}, "status": {"phase": "Failed", "containerStatuses": [
		{"name": "web", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}`)
	if err := files.WriteJSON(rundir.Final, pod, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{rundir.ManifestInEffect: "abc", rundir.PodAddress: "10.244.0.9"} {
		if err := files.Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	state := newAgent("1", files).state
	answer := state.status()
	status := kube.Map(answer.Pod, "status")
	if !answer.Final || answer.Manifest != "abc" || kube.Text(status, "phase") != "Failed" || kube.Text(status, "podIP") != "10.244.0.9" {
		t.Errorf("%+v", answer)
	}
	if got := exitCodes(state.lastPod()); got != ", web 3 (Error)" {
		t.Errorf("got %q", got)
	}
}
