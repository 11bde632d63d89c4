package agent

import (
	"testing"

	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

const manifestText = `{"version": 1, "pod": {"metadata": {"name": "web-1abc", "labels": {"a": "b"}},
	"spec": {"containers": [{"name": "web", "image": "one", "args": ["x"]}, {"name": "side", "image": "one"}]}}}`

func testState(t *testing.T) *state { return newState("1", rundir.Machine{Folder: t.TempDir()}) }

// runningAgent is one whose machine runs by manifestText, with files in a folder of the test's own.
func runningAgent(t *testing.T) *Agent {
	t.Helper()
	read, err := manifest.Read([]byte(manifestText))
	if err != nil {
		t.Fatal(err)
	}
	agent := newAgent("1", rundir.Machine{Folder: t.TempDir()})
	agent.manifest, agent.state.manifest.inForce = read, read
	agent.state.progress = progress{true, true, true}
	return agent
}

// waitingAgent is one that waits for its manifest.
func waitingAgent(t *testing.T) *Agent {
	t.Helper()
	agent := runningAgent(t)
	agent.manifest, agent.state.manifest.inForce = manifest.Manifest{}, manifest.Manifest{}
	agent.state.progress, agent.state.refusal.waiting = progress{}, true
	return agent
}

// mark makes files of a machine whose being there says something.
func mark(t *testing.T, files rundir.Machine, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := files.Mark(path); err != nil {
			t.Fatal(err)
		}
	}
}
