package runtime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/resolve"
)

func TestBundleOnlyOfAContainerToBeCreated(t *testing.T) {
	for arguments, want := range map[string]string{
		"--root /r --log /l --log-format json create --bundle /b --pid-file /p id": "/b",
		"--root /r create --bundle=/b id":                                          "/b",
		"create -b /b id":                                                          "/b",
		"--root /r start id":                                                       "",
		"--root /r delete --force id":                                              "",
		"features":                                                                 "",
		"create --bundle":                                                          "",
	} {
		if got := Bundle(strings.Fields(arguments)); got != want {
			t.Errorf("%s: got %q", arguments, got)
		}
	}
}

func TestOnlyWhatCrunHasNoStateOfIsGone(t *testing.T) {
	root := t.TempDir()
	for path, content := range map[string]string{"there/status": "{}", "half/exec.fifo": ""} {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for arguments, want := range map[string]string{
		"kill --all there 9":   "",
		"kill --all half 9":    "half",
		"kill never 15":        "never",
		"delete half":          "half",
		"delete there":         "",
		"delete --force half":  "",
		"state half":           "",
		"create --bundle /b x": "",
		"kill":                 "",
	} {
		all := append([]string{"--root", root, "--log", "/l", "--log-format", "json"}, strings.Fields(arguments)...)
		if got := MissingContainer(all); got != want {
			t.Errorf("%s: got %q", arguments, got)
		}
	}
	if got := MissingContainer([]string{"kill", "half", "9"}); got != "" {
		t.Errorf("without --root: got %q", got)
	}
}

func TestAddsADeviceAndLetsItBeUsed(t *testing.T) {
	var config kube.Object
	err := kube.Decode([]byte(`{"ociVersion": "1.2.0", "annotations": {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": "db", "io.kubernetes.cri.image-name": "db:1"},
		"linux": {"devices": [{"path": "/dev/a"}], "resources": {"devices": [{"allow": false, "access": "rwm"}], "memory": {"limit": 9007199254740993}}}}`), &config)
	if err != nil {
		t.Fatal(err)
	}
	if name(config) != "db" || image(config) != "db:1" {
		t.Errorf("name %q, image %q", name(config), image(config))
	}
	AddDevice(config, resolve.Device{Path: "/dev/xvda", Permissions: "r"}, 254, 32)
	data, _ := json.Marshal(config)
	for _, part := range []string{
		`"devices":[{"path":"/dev/a"},{"fileMode":432,"gid":6,"major":254,"minor":32,"path":"/dev/xvda","type":"b","uid":0}]`,
		`"devices":[{"access":"rwm","allow":false},{"access":"r","allow":true,"major":254,"minor":32,"type":"b"}]`, `"limit":9007199254740993`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in %s", part, data)
		}
	}
}

func TestSandboxesAndOthersHaveNoName(t *testing.T) {
	for _, config := range []kube.Object{
		{}, {"annotations": kube.Object{"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.container-name": "x"}},
	} {
		if got := name(config); got != "" {
			t.Errorf("%v: %q", config, got)
		}
		AddDevice(config, resolve.Device{}, 1, 2) // makes what isn't there
	}
}
