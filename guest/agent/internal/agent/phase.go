package agent

// Phase is what the agent is about. It is never stored: each round, and each answer, works it out anew of facts, most of
// which are files (rundir/files.go). So an agent that is started again comes to the phase that it was in.
// guest/README.md has a diagram.
type Phase int

const (
	// ReadingManifest: the manifest isn't read yet. The API may not be served.
	ReadingManifest Phase = iota
	// AwaitingManifest: the manifest on the disk isn't the one that the machine was made for. The operator may put that.
	AwaitingManifest
	// AwaitingNetwork: the machine has no address yet.
	AwaitingNetwork
	// PreparingKubelet: what the kubelet is started with isn't written yet.
	PreparingKubelet
	// StartingPod: the kubelet wasn't given the Pod yet: what the Pod refers to is mounted, read and resolved.
	StartingPod
	// RunningPod: the kubelet has the Pod. Its volumes are kept up to date, and a manifest that is put is passed on to it.
	RunningPod
	// ChangingPod is RunningPod, with a container that is still the one of a former image. The Pod isn't ready.
	ChangingPod
	// PodEnded: the Pod has ended by itself. The machine stays on for the operator to fetch the status.
	PodEnded
	// StoppingPod: somebody wants the machine off, or the operator has asked to end the Pod. The kubelet ends it.
	StoppingPod
	// PodStopped: the Pod is gone, or has had its time. The machine stays on to be deleted or powered off.
	PodStopped
	// MachineEnding: the agent has said that the machine may end. boot ends it.
	MachineEnding
	// DiskLost: writes to the root disk were lost. The Pod is left alone; boot ends the machine.
	DiskLost

	phases = iota // how many there are
)

var phaseNames = [phases]string{
	"ReadingManifest", "AwaitingManifest", "AwaitingNetwork", "PreparingKubelet", "StartingPod", "RunningPod", "ChangingPod",
	"PodEnded", "StoppingPod", "PodStopped", "MachineEnding", "DiskLost",
}

// String is the constant's name.
func (p Phase) String() string {
	if p < 0 || p >= phases {
		return "unknown"
	}
	return phaseNames[p]
}

// asksKubelet tells whether a round of the phase begins with asking the kubelet for the Pod.
func (p Phase) asksKubelet() bool {
	switch p {
	case StartingPod, RunningPod, ChangingPod, PodEnded, StoppingPod, PodStopped:
		return true
	}
	return false
}

// facts are what a phase is worked out of. Those of the first group are files, and outlive the agent.
type facts struct {
	podGiven      bool // rundir.StaticPod
	podFinal      bool // rundir.Final
	stopAsked     bool // rundir.PowerOff or rundir.StopAsked
	podStopped    bool // rundir.Stopped
	machineEnding bool // rundir.MachineEnd
	diskLost      bool // rundir.DiskLost

	// What an agent has to do again after its start.
	manifestRead    bool
	manifestRefused bool // and isn't put yet
	networkRead     bool
	kubeletPrepared bool
	imageChanging   bool
}

// condition is a phase, and the facts that it takes.
type condition struct {
	phase Phase
	holds func(facts) bool
}

// conditions are asked in this order, and the first that holds says the phase.
var conditions = []condition{
	{MachineEnding, func(f facts) bool { return f.machineEnding }},
	// What comes before the kubelet's start is done even if the Pod is to end, or the root disk is lost: without it nobody
	// could be told, and a Pod that runs already couldn't be ended with its grace period.
	{AwaitingManifest, func(f facts) bool { return f.manifestRefused }},
	{ReadingManifest, func(f facts) bool { return !f.manifestRead }},
	{AwaitingNetwork, func(f facts) bool { return !f.networkRead }},
	{PreparingKubelet, func(f facts) bool { return !f.kubeletPrepared }},
	// boot ends the machine as failed, so that what becomes of its Pod doesn't matter.
	{DiskLost, func(f facts) bool { return f.diskLost }},
	// A Pod that is to end isn't started any more. One that has ended by itself is only looked after until its machine ends.
	{PodStopped, func(f facts) bool { return f.stopAsked && f.podStopped }},
	{StoppingPod, func(f facts) bool { return f.stopAsked }},
	{StartingPod, func(f facts) bool { return !f.podGiven }},
	{PodEnded, func(f facts) bool { return f.podFinal }},
	{ChangingPod, func(f facts) bool { return f.imageChanging }},
	{RunningPod, func(facts) bool { return true }},
}

// phaseOf is the phase that facts make.
func phaseOf(f facts) Phase {
	for _, condition := range conditions {
		if condition.holds(f) {
			return condition.phase
		}
	}
	panic("the last condition always holds")
}
