package manifest

import (
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
)

const whole = `{"version": 1,
 "pod": {"metadata": {"name": "web-1abc"}, "spec": {"containers": [{"name": "web"}], "terminationGracePeriodSeconds": 30}},
 "attachments": [{"kind": "ConfigMap", "name": "web", "optional": true, "tag": "configmap-0"},
                 {"kind": "Secret", "name": "db", "serial": "secret-1"}],
 "probe": {"port": 65254, "token": "t"},
 "api": {"port": 65250, "clientCA": "pem"},
 "registries": [{"host": "docker.io", "mirrors": ["https://mirror.example:5000"], "ca": {"configMap": "mirror-ca", "key": "ca.crt"}}],
 "somethingNew": true}`

func TestReadsAManifest(t *testing.T) {
	m, err := Read([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if m.Attachments[0].Device() != "configmap-0" || !m.Attachments[0].Optional || m.Attachments[1].Device() != "secret-1" {
		t.Errorf("attachments: %+v", m.Attachments)
	}
	if m.Probe.Port != 65254 || m.API.ClientCA != "pem" || m.Registries[0].CA.ConfigMap != "mirror-ca" {
		t.Errorf("got %+v", m)
	}
	if grace, ok := kube.Integer(kube.Map(m.Pod, "spec"), "terminationGracePeriodSeconds"); !ok || grace != 30 {
		t.Errorf("grace %d, %v", grace, ok)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, change := range map[string][2]string{
		"is of version 2":            {`"version": 1`, `"version": 2`},
		"not <workload>-<revision>":  {`web-1abc`, `web`},
		"has no containers":          {`[{"name": "web"}]`, `[]`},
		"has neither serial nor tag": {`"serial"`, `"disk"`},
		"is no JSON":                 {`{"version"`, `["version"`},
	} {
		_, err := Read([]byte(strings.Replace(whole, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

func TestAnUnknownVersionStillGivesTheAPI(t *testing.T) {
	m, err := Read([]byte(strings.Replace(whole, `"version": 1`, `"version": 9`, 1)))
	if err == nil || m.API == nil || m.Probe == nil {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestSplitsAPodsName(t *testing.T) {
	static, node, err := SplitName("my-web-1abc")
	if static != "my-web" || node != "1abc" || err != nil {
		t.Errorf("got %q, %q, %v", static, node, err)
	}
	for _, wrong := range []string{"", "web", "-1", "web-", "Web-1"} {
		if _, _, err := SplitName(wrong); err == nil {
			t.Errorf("%q is split", wrong)
		}
	}
}
