package agent

import (
	"net/http"
	"os"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kubelet"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	// overtime is what the kubelet needs to end a Pod, over the Pod's grace period.
	overtime = 10 * time.Second
	// lingers is how long a machine stays on whose Pod was ended as the operator asked, to be deleted. An operator that
	// went away leaves no Workload down: the machine then ends, and KubeVirt runs it again by its runStrategy.
	lingers = 5 * time.Minute
)

// orders are the files that say that the Pod is to end, and since when it has. They outlive the agent.
type orders struct {
	button  string // by the power button; from boot
	asked   string // by the operator
	stopped string // the Pod is gone, or its time is over
}

// given tells whether the Pod is to end.
func (o orders) given() bool { return rundir.Exists(o.button) || rundir.Exists(o.asked) }

// said is what the status says of the operator's asking.
func (o orders) said() string {
	switch {
	case !rundir.Exists(o.asked):
		return "none"
	case !rundir.Exists(o.stopped):
		return "asked"
	}
	return "done"
}

// late tells whether a Pod's time is over that the operator asked to end. If the button was pressed, boot counts.
func (o orders) late(grace time.Duration) bool {
	since, asked := rundir.Since(o.asked)
	return asked && since >= grace+overtime
}

// over tells whether the machine is to end, its Pod having been ended.
func (o orders) over() bool {
	since, stopped := rundir.Since(o.stopped)
	return stopped && (rundir.Exists(o.button) || since >= lingers)
}

// askStop takes the operator's word to end the Pod, or says why not: the answer's code, and a line. The next round
// begins with it.
func (a *Agent) askStop() (code int, why string) {
	a.state.lock.Lock() // as put does, so that no manifest is taken afterwards
	defer a.state.lock.Unlock()
	isNew, err := rundir.Mark(a.state.orders.asked)
	if err != nil {
		return http.StatusServiceUnavailable, err.Error()
	}
	if isNew {
		console.Print("the operator asks to end the Pod")
	}
	return http.StatusAccepted, ""
}

// stop ends the Pod as a deletion would, and then the machine, unless the operator is to delete that.
func (a *Agent) stop(pods []kube.Object, err error) {
	orders := a.state.orders
	if !rundir.Exists(orders.stopped) {
		switch {
		case a.remove(pods, err):
			a.logs.Copy()
			console.Print("the Pod is gone")
		case orders.late(a.grace()) && a.flush():
			console.Print("the Pod hasn't ended in time")
		default:
			return
		}
		_, err := rundir.Mark(orders.stopped)
		a.say(err)
	}
	if orders.over() {
		a.finish(rundir.ReadOutcome())
	}
}

// remove has the kubelet stop the Pod, which it does with what it no longer finds, and tells whether nothing of it is
// left. What the kubelet says of the Pod meanwhile isn't its end.
func (a *Agent) remove(pods []kube.Object, err error) (gone bool) {
	pod := a.find(pods)
	if rundir.Exists(rundir.StaticPod) {
		phase, settled := kubelet.Ended(pod)
		a.remember(phase)
		if settled && !a.tell(pod, phase) {
			return false
		}
	}
	if removed := os.Remove(rundir.StaticPod); removed == nil {
		console.Print("the Pod is being ended")
		a.gone = 0
		return false
	}
	if err != nil || pod != nil {
		a.gone = 0
		return false
	}
	running, err := a.kubelet.Running()
	if err != nil || len(running) > 0 {
		a.gone = 0
		return false
	}
	// Twice, since the kubelet may just be making it.
	a.gone++
	return a.gone >= 2 && a.flush()
}

// unprepared lets the machine end that was to end before its Pod could be cared for.
func (a *Agent) unprepared() {
	orders := a.state.orders
	if rundir.Exists(orders.button) {
		a.finish(rundir.ReadOutcome())
		return
	}
	if !rundir.Exists(rundir.StaticPod) || orders.late(a.grace()) {
		_, err := rundir.Mark(orders.stopped)
		a.say(err)
	}
	if orders.over() {
		a.finish(rundir.ReadOutcome())
	}
}
