package kubelet

import (
	"encoding/json"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
)

func TestFindsAPodByNamespaceAndName(t *testing.T) {
	pods := []kube.Object{
		kubetest.Object(t, `{"metadata": {"name": "web-1", "namespace": "other"}}`),
		kubetest.Object(t, `{"metadata": {"name": "web-1", "namespace": "shop"}, "mine": true}`),
	}
	if found := Find(pods, "shop", "web-1"); !kube.Truth(found, "mine") {
		t.Errorf("found %v", found)
	}
	if found := Find(pods, "shop", "web-2"); found != nil {
		t.Errorf("found %v", found)
	}
}

func TestEnded(t *testing.T) {
	for status, want := range map[string]struct {
		phase   string
		settled bool
	}{
		`{"phase": "Running"}`: {"", false},
		`{"phase": "Pending"}`: {"", false},
		`{}`:                   {"", false},
		`{"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {}}}]}`:                                                     {"Succeeded", true},
		`{"phase": "Failed", "containerStatuses": [{"state": {"terminated": {}}}, {"state": {"running": {}}}]}`:                            {"Failed", false},
		`{"phase": "Failed", "initContainerStatuses": [{"state": {"running": {}}}], "containerStatuses": [{"state": {"terminated": {}}}]}`: {"Failed", false},
		`{"phase": "Failed", "reason": "SysctlForbidden"}`:                                                                                 {"Failed", true},
	} {
		phase, settled := Ended(kube.Object{"status": kubetest.Object(t, status)})
		if phase != want.phase || settled != want.settled {
			t.Errorf("%s: got %q, %v", status, phase, settled)
		}
	}
	if phase, _ := Ended(nil); phase != "" {
		t.Errorf("no Pod: %q", phase)
	}
}

func TestReadySaysWhyNot(t *testing.T) {
	for status, want := range map[string]struct {
		ready bool
		why   string
	}{
		`{"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}`:   {true, "ready"},
		`{"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "True"}]}`: {false, "the Pod has ended: Succeeded"},
		`{"phase": "Pending", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}},
			{"name": "b", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}]}`: {false, "container b: ErrImagePull: no such image"},
		`{"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False", "reason": "X", "message": "second"},
			{"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [web]"}]}`: {
			false, "ContainersNotReady: containers with unready status: [web]"},
		`{"phase": "Pending", "reason": "R", "message": "M"}`: {false, "R: M"},
		`{"phase": "Pending"}`:                                {false, "the Pod is Pending"},
	} {
		ready, why := Ready(kube.Object{"status": kubetest.Object(t, status)})
		if ready != want.ready || !strings.Contains(why, want.why) {
			t.Errorf("%s: got %v, %q", status, ready, why)
		}
	}
	if ready, why := Ready(nil); ready || why == "" {
		t.Errorf("no Pod: %v, %q", ready, why)
	}
}

func TestImagesThatNoContainerHasLeaveRoomForTheNext(t *testing.T) {
	config := Config("cluster.local")
	high, low := config["imageGCHighThresholdPercent"].(int), config["imageGCLowThresholdPercent"].(int)
	// At 100 the kubelet removes none (pkg/kubelet/kubelet.go, StartGarbageCollection). 5 of 20 GiB are for an image's pull.
	if high > 75 || low >= high || low <= 0 {
		t.Errorf("images go from %d%% to %d%%", high, low)
	}
}

func TestTheConfigurationKeepsTheKubeletToThisMachine(t *testing.T) {
	data, err := json.Marshal(Config("cluster.local"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"address":"127.0.0.1"`, `"port":65251`, `"healthzPort":0`, `"readOnlyPort":0`, `"anonymous":{"enabled":false}`, `"registerNode":false`,
		`"clientCAFile":"/run/twinhull/pki/ca.crt"`, `"staticPodPath":"/run/twinhull/manifests"`, `"clusterDomain":"cluster.local"`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in %s", part, data)
		}
	}
	if got := strings.Join(Arguments("1abc", "10.0.2.2"), " "); !strings.HasSuffix(got, "--hostname-override=1abc --node-ip=10.0.2.2") {
		t.Error(got)
	}
}
