package rundir

// Root is the folder that all files are in. It is a tmpfs, and so empty when the machine starts.
//
// boot is PID 1, and isn't started again while the machine runs. The agent, the kubelet and containerd may end at any time;
// boot starts them again. Each comment says what an agent makes of the file that is started again.
const Root = "/run/twinhull"

// What the agent goes by that others write.
const (
	// Network is the address, the routes and the name servers that DHCP gave, as JSON (network.Lease).
	// Written by: boot, for each lease that differs from the one before.
	// Read by: the agent, in the phase AwaitingNetwork.
	// Restart: the agent reads it again.
	Network = Root + "/network.json"
	// Resolv is the machine's resolv.conf.
	// Written by: boot, before Network.
	// Read by: the kubelet, which makes the Pod's resolv.conf of it.
	// Restart: the agent doesn't read it.
	Resolv = Root + "/resolv.conf"
	// ContainersMade is a folder with a file for each name of a container: the container that was made last, as JSON (Container).
	// Written by: twinhull-runtime, before a container is made.
	// Read by: the agent, to see whether a container still is the one of a former image.
	// Restart: the agent reads it again.
	ContainersMade = Root + "/containers"
	// PowerOff is there once somebody wants the machine off: by the power button, or by a signal to PID 1.
	// Written by: boot.
	// Read by: the agent, which ends the Pod; boot, as StopAsked.
	// Restart: the agent goes on to end the Pod. boot counts the time.
	PowerOff = Root + "/stop"
	// DiskLost has a line about writes to the root disk that were lost. The machine ends as failed 10 s later.
	// Written by: boot, unless Final is there.
	// Read by: the agent, which tells the line to whoever asks, and leaves the Pod alone.
	// Restart: the agent goes on to tell it.
	DiskLost = Root + "/disk-lost"
)

// What the agent writes for the kubelet and for twinhull-runtime.
const (
	// PKI is a folder with the certificates by which kubelet and agent know each other, and that of the agent's API.
	// Written by: the agent, before all else; the CA's certificate is written last.
	// Read by: the agent and the kubelet.
	// Restart: if the CA's certificate is there, all stay. If not, all are made again; no kubelet has started by then.
	PKI = Root + "/pki"
	// KubeletArgs is a JSON list of the kubelet's arguments.
	// Written by: the agent, in the phase PreparingKubelet.
	// Read by: boot, each time it starts the kubelet.
	// Restart: the agent writes the same again.
	KubeletArgs = Root + "/kubelet-args.json"
	// KubeletConfig is the kubelet's configuration. boot starts the kubelet once it is there.
	// Written by: the agent, as the last file of the phase PreparingKubelet.
	// Read by: boot and the kubelet.
	// Restart: the agent writes the same again.
	KubeletConfig = Root + "/kubelet.json"
	// Manifests is the folder in which the kubelet looks for static Pods.
	// Written by: the agent.
	// Read by: the kubelet.
	// Restart: nothing changes.
	Manifests = Root + "/manifests"
	// StaticPod is the Pod that the kubelet runs. Its annotations have the digest of the manifest that it is from.
	// Written by: the agent: as the last file of the phase StartingPod, and for each manifest that is put. It removes the
	// file when the Pod is to end.
	// Read by: the kubelet; the agent, to see whether the Pod was given to it, and of which manifest it is.
	// Restart: if it is there, the agent doesn't start the Pod again; it writes the file again only if another manifest is
	// in force. If it isn't there, the agent starts the Pod, or goes on to wait for the end of one that it removed.
	StaticPod = Manifests + "/pod.json"
	// Volumes is a folder with the volumes that the agent writes.
	// Written by: the agent, before StaticPod, and every 10 s what has changed.
	// Read by: the containers.
	// Restart: the agent writes what has changed since.
	Volumes = Root + "/volumes"
	// ContainerDevices are the block devices of each container, as JSON.
	// Written by: the agent, before StaticPod.
	// Read by: twinhull-runtime, when a container is made.
	// Restart: if StaticPod isn't there, the agent writes it again.
	ContainerDevices = Root + "/devices.json"
	// PullCredentials is the config.json with which images are pulled.
	// Written by: the agent, before StaticPod.
	// Read by: the kubelet, by a link in its own folder.
	// Restart: if StaticPod isn't there, the agent writes it again.
	PullCredentials = Root + "/pull.json"
)

// What the agent writes for boot.
const (
	// GracePeriod is the Pod's grace period in seconds.
	// Written by: the agent, in the phase PreparingKubelet.
	// Read by: boot, when the machine is to be powered off: how long the Pod may take. If it isn't there, there is no Pod.
	// Restart: the agent writes the same again.
	GracePeriod = Root + "/grace"
	// Outcome is how the machine ends if it is ended now: "Succeeded" or "Failed".
	// Written by: the agent: when it first reads a manifest, what an interruption is for such a Pod; then the Pod's phase once
	// that has ended.
	// Read by: boot and the agent.
	// Restart: the agent leaves it as it is, unless the Pod's phase says something else.
	Outcome = Root + "/outcome"
	// MachineEnd says that the machine may end, and how: "Succeeded" or "Failed".
	// Written by: the agent, once.
	// Read by: boot, which ends the machine within a second.
	// Restart: the agent does nothing more.
	MachineEnd = Root + "/end"
)

// What the agent writes for itself, so that it goes on where it was.
const (
	// PutManifest is the manifest that the operator has put since the machine's start.
	// Written by: the agent, before it answers that a manifest is taken.
	// Read by: the agent, in place of the disk's manifest; boot, which doesn't start the kubelet anew during a change.
	// Restart: the agent runs by it. An operator that got no answer puts it again, and is told that it is in force.
	PutManifest = Root + "/manifest.json"
	// ManifestInEffect is the digest of the manifest whose Pod the kubelet was last seen to run.
	// Written by: the agent. It removes the file before a manifest of that digest is put in place of another one.
	// Read by: the agent; boot, as above.
	// Restart: the status has this digest until another manifest is seen in effect.
	ManifestInEffect = Root + "/in-effect"
	// PodUID is the Pod's uid, if the launcher Pod doesn't tell it.
	// Written by: the agent, before the Pod is first resolved.
	// Read by: the agent.
	// Restart: the Pod keeps its uid, so that the kubelet doesn't make it anew.
	PodUID = Root + "/pod-uid"
	// PodAddress is the address that the cluster knows the machine by.
	// Written by: the agent, when a readiness probe has told it.
	// Read by: the agent.
	// Restart: the agent doesn't wait for a probe again.
	PodAddress = Root + "/pod-address"
	// NodeAddresses are the addresses of the node that the machine started on, one a line.
	// Written by: the agent, when the operator has first told them.
	// Read by: the agent.
	// Restart: the agent doesn't wait for the operator again.
	NodeAddresses = Root + "/host-addresses"
	// KubernetesService is the host of the API server's Service: an address, or a name that the DNS doesn't know.
	// Written by: the agent, when the cluster's DNS has answered, or hasn't for too long.
	// Read by: the agent.
	// Restart: the agent doesn't ask again.
	KubernetesService = Root + "/kubernetes-service"
	// Logs is how far each container's log was copied to the console, as JSON.
	// Written by: the agent, after it has copied lines.
	// Read by: the agent.
	// Restart: the agent goes on from there; lines that it had copied since the last write appear twice.
	Logs = Root + "/logs.json"
	// StopAsked says since when the operator asks to end the Pod (Mark).
	// Written by: the agent, before it answers the operator; not again if the operator asks again.
	// Read by: the agent; boot, which then doesn't start the kubelet anew for a machine that has grown.
	// Restart: the agent goes on to end the Pod, whose time counts from then.
	StopAsked = Root + "/stop-asked"
	// Stopped says since when the Pod is gone that was to end, or has had its time (Mark).
	// Written by: the agent.
	// Read by: the agent; boot, which then ends the machine at once when somebody wants it off.
	// Restart: the agent goes on to wait for the machine's end, for 5 minutes from then at most.
	Stopped = Root + "/stopped"
	// Final is the Pod as it was when it had ended by itself, as JSON.
	// Written by: the agent, once what the Pod wrote to its claims is on them.
	// Read by: the agent; boot, which then takes a lost disk for no failure.
	// Restart: the status has this Pod. The machine stays for its 60 s from then on.
	Final = Root + "/final.json"
)

// What the agent mounts.
const (
	// Mounts is a folder with a folder for each attachment that is mounted.
	// Written by: the agent, in the phases ReadingManifest and StartingPod.
	// Read by: the agent and the containers.
	// Restart: what is mounted already stays so.
	Mounts = Root + "/attachments"
)

// Log is the file with the log of one of boot's programs: its console shows the warnings alone.
// Written by: boot.
// Read by: the agent, of the kubelet's: why it doesn't take a Pod.
// Restart: the log goes on.
func Log(program string) string { return Root + "/" + program + ".log" }
