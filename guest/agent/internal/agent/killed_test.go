package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
)

// simulatedMachine is a machine around an agent: its files, its kubelet, and the operator. All but the agent lives on when
// the agent is killed.
type simulatedMachine struct {
	files rundir.Machine
	agent *Agent
	variant
	first    string
	second   string
	step     int           // of the operator's work
	given    []string      // each file that the kubelet was given, one after the other
	running  []kube.Object // the Pods that the runtime has something of
	images   map[string]string
	hasEnded bool
	changes  int // how often a file was about to be changed, or was changed
	killAt   int // at which of these the agent is killed; -1 is never
}

// variant is what becomes of a machine.
type variant struct {
	name    string
	stops   bool // the operator ends the Pod; else it ends by itself
	refused bool // the disk has another manifest than the one that the machine was made for
}

// killed is how the agent's code is left when it is killed.
var killed = errors.New("killed")

func newSimulatedMachine(t *testing.T, variant variant, killAt int) *simulatedMachine {
	t.Helper()
	policy := map[bool]string{true: "Always", false: "Never"}[variant.stops]
	first := fmt.Sprintf(`{"version": 1, "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1abc", "namespace": "shop", "labels": {"a": "b"}},
		"spec": {"restartPolicy": %q, "terminationGracePeriodSeconds": 600, "automountServiceAccountToken": false,
			"volumes": [{"name": "info", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}],
			"containers": [{"name": "web", "image": "one", "volumeMounts": [{"name": "info", "mountPath": "/info"}]}, {"name": "side", "image": "one"}]}}}`, policy)
	m := &simulatedMachine{
		variant: variant, killAt: killAt, images: map[string]string{},
		first: first, second: strings.NewReplacer(`"name": "web", "image": "one"`, `"name": "web", "image": "two"`, `"a": "b"`, `"a": "c"`).Replace(first),
	}
	m.files = rundir.Machine{Folder: memoryFolder(t), Changes: m.change}
	outside := rundir.Machine{Folder: m.files.Folder}
	lease := network.Lease{Interface: "eth0", Address: netip.MustParsePrefix("10.0.2.2/24"), Search: []string{"shop.svc.cluster.local"}}
	if err := outside.WriteJSON(rundir.Network, lease, 0o600); err != nil {
		t.Fatal(err)
	}
	m.startAgent()
	return m
}

// memoryFolder is a folder in memory, as /run is on a machine, or else on a disk, where each write takes long.
func memoryFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "twinhull-agent-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

func (m *simulatedMachine) startAgent() {
	m.agent = newAgent("1", m.files)
	m.agent.setHostname = func([]byte) error { return nil }
	m.agent.newKubelet = func() (kubeletClient, error) { return m, nil }
	m.agent.readManifestDisk = func() ([]byte, error) {
		if m.refused {
			return []byte(strings.Replace(m.first, `"image": "one"`, `"image": "forged"`, 1)), nil
		}
		return []byte(m.first), nil
	}
	m.agent.readTrustDisk = func() (manifest.Trust, error) {
		return manifest.Trust{Digest: manifest.Digest([]byte(m.first)), ClientCA: "pem"}, nil
	}
}

func (m *simulatedMachine) change(string) {
	if m.changes++; m.changes-1 == m.killAt {
		panic(killed)
	}
}

// run goes on until the machine may end.
func (m *simulatedMachine) run(t *testing.T) {
	t.Helper()
	for range 200 {
		if m.files.Exists(rundir.MachineEnd) {
			return
		}
		func() {
			defer func() {
				if reason := recover(); reason == killed {
					m.startAgent()
				} else if reason != nil {
					panic(reason)
				}
			}()
			m.operate(t)
			m.agent.round()
		}()
	}
	t.Fatalf("the machine doesn't end: step %d, phase %s, %+v", m.step, m.agent.state.phase(), m.agent.state.status())
}

// operate is what the operator, and at the end boot, do between two rounds. A request without an answer is made again.
func (m *simulatedMachine) operate(t *testing.T) {
	t.Helper()
	status := m.agent.state.status()
	runs := func(text string) bool {
		return len(m.given) > 0 && strings.Contains(m.given[len(m.given)-1], manifest.Digest([]byte(text)))
	}
	put := func(text string) {
		if m.agent.state.phase() < StartingPod {
			return
		}
		if code, why := m.agent.putManifest([]byte(text)); code != http.StatusNoContent {
			t.Fatalf("%d %s", code, why)
		}
		m.step++
	}
	if status.Lacking {
		if code, why := m.agent.putManifest([]byte(m.first)); code != http.StatusNoContent {
			t.Fatalf("%d %s", code, why)
		}
		return
	}
	switch m.step {
	case 0:
		if status.Manifest == manifest.Digest([]byte(m.first)) {
			m.step++
		}
	case 1:
		put(m.second)
	case 2:
		if runs(m.second) { // though it isn't in effect
			m.step++
		}
	case 3:
		put(m.first)
		if status := m.agent.state.status(); m.step == 4 && status.Manifest != "" && !runs(m.first) {
			t.Errorf("the first manifest is told to be in effect, and the kubelet runs the second")
		}
	case 4:
		if status.Manifest == manifest.Digest([]byte(m.first)) {
			if !runs(m.first) || m.images["web"] != "one" {
				t.Errorf("the first manifest is in effect, and the kubelet runs %q", m.images)
			}
			m.step++
		}
	case 5:
		if !m.stops {
			m.hasEnded = true
			return
		}
		if code, why := m.agent.askStop(); code != http.StatusAccepted {
			t.Fatalf("%d %s", code, why)
		}
		m.step++
	case 6:
		if status.Stop == "done" {
			if m.files.Exists(rundir.StaticPod) || len(m.running) > 0 {
				t.Error("the Pod is told to be gone, and isn't")
			}
			mark(t, rundir.Machine{Folder: m.files.Folder}, rundir.PowerOff)
			m.step++
		}
	}
}

// Pods is the kubelet's answer: it takes a file one round after it is given, and a container another image one round later.
func (m *simulatedMachine) Pods() ([]kube.Object, error) {
	outside := rundir.Machine{Folder: m.files.Folder}
	data, err := outside.Read(rundir.StaticPod)
	if err != nil {
		answer := m.running
		m.running = nil
		return answer, nil
	}
	if text := string(data); len(m.given) == 0 || m.given[len(m.given)-1] != text {
		m.given = append(m.given, text)
		return m.running, nil
	}
	var pod kube.Object
	if err := kube.Decode(data, &pod); err != nil {
		return nil, err
	}
	metadata := kube.Map(pod, "metadata")
	metadata["name"] = kube.Text(metadata, "name") + "-1abc"
	generation, _ := kube.Integer(metadata, "generation")
	var statuses []any
	for _, container := range kube.List(kube.Map(pod, "spec"), "containers") {
		name, image := kube.Text(container, "name"), kube.Text(container, "image")
		before := m.images[name]
		m.images[name] = image
		made := rundir.Container{ID: name + "-" + image, Image: image}
		if err := outside.WriteJSON(filepath.Join(rundir.ContainersMade, name), made, 0o644); err != nil {
			return nil, err
		}
		if before == "" {
			before = image
		}
		state := kube.Object{"running": kube.Object{}}
		if m.hasEnded {
			state = kube.Object{"terminated": kube.Object{"exitCode": 0, "reason": "Completed"}}
		}
		statuses = append(statuses, kube.Object{"name": name, "containerID": "containerd://" + name + "-" + before, "state": state})
	}
	phase := map[bool]string{true: "Succeeded", false: "Running"}[m.hasEnded]
	pod["status"] = kube.Object{"phase": phase, "observedGeneration": generation, "containerStatuses": statuses}
	m.running = []kube.Object{pod}
	return m.running, nil
}

// Running is the runtime's answer.
func (m *simulatedMachine) Running() ([]kube.Object, error) { return m.running, nil }

// outcome is all that the agent has left behind: its files, and what it gave to the kubelet. Of what is another at each run it
// has no more than that it is there: the Pod's uid, and times.
func (m *simulatedMachine) outcome(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	root := m.files.Path(rundir.Root)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, m.files.Folder)
		if err != nil || entry.IsDir() || strings.HasPrefix(name, rundir.Volumes+"/") {
			return err
		}
		data, err := os.ReadFile(path)
		if slices.Contains([]string{rundir.Stopped, rundir.StopAsked, rundir.PowerOff}, name) {
			data = []byte("since some time")
		}
		fmt.Fprintf(&text, "%s: %s\n", name, data)
		return err
	})
	labels, volumeErr := m.files.Read(rundir.Volumes + "/info/labels")
	uid, uidErr := m.files.Read(rundir.PodUID)
	if err := errors.Join(err, volumeErr, uidErr); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&text, "the volume: %s\nthe kubelet was given: %s\n", labels, strings.Join(m.given, "\n"))
	return strings.ReplaceAll(text.String(), string(uid), "<uid>")
}

func TestAnAgentThatIsKilledAtAnyChangeOfAFileComesToTheSameEnd(t *testing.T) {
	for _, variant := range []variant{
		{name: "ends by itself"}, {name: "is stopped", stops: true}, {name: "has a forged manifest", refused: true},
	} {
		whole := newSimulatedMachine(t, variant, -1)
		whole.run(t)
		want := whole.outcome(t)
		digest := func(text string) string { return manifest.Digest([]byte(text)) }
		if order := digestsOf(t, whole.given); !slices.Equal(order, []string{digest(whole.first), digest(whole.second), digest(whole.first)}) {
			t.Fatalf("the kubelet was given %q", order)
		}
		if whole.changes < 30 || !strings.Contains(want, rundir.MachineEnd+": Succeeded") {
			t.Fatalf("%d changes: %s", whole.changes, want)
		}
		for at := range whole.changes {
			one := newSimulatedMachine(t, variant, at)
			one.run(t)
			if got := one.outcome(t); got != want {
				t.Errorf("one that %s, killed at %d:\n%s\nwant:\n%s", variant.name, at, got, want)
			}
		}
	}
}

func digestsOf(t *testing.T, files []string) (digests []string) {
	t.Helper()
	for _, file := range files {
		var pod kube.Object
		if err := kube.Decode([]byte(file), &pod); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, resolve.Digest(pod))
	}
	return digests
}
