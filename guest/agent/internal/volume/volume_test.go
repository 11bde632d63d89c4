package volume

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
)

const pod = `{"metadata": {"name": "web-1abc", "namespace": "shop", "labels": {"b": "2", "a": "1"}, "annotations": {"note": "x \"y\"\nz"}},
 "spec": {"securityContext": {}, "containers": [
  {"name": "web", "resources": {"limits": {"memory": "96Mi", "cpu": "1500m"}, "requests": {"cpu": "250m"}}},
  {"name": "free", "resources": {}}]}}`

func input(t *testing.T) Input {
	return Input{
		Pod: kubetest.Object(t, pod), Allocatable: map[string]string{"cpu": "2", "memory": "1000000"},
		Objects: kube.Objects{
			{Kind: kube.ConfigMap, Name: "settings"}:     {"a": []byte("A"), "b": []byte("B")},
			{Kind: kube.Secret, Name: "hidden"}:          {"k": []byte("K")},
			{Kind: kube.ServiceAccount, Name: "default"}: {"token": []byte("T"), "ca.crt": []byte("C")},
			{Kind: kube.Launcher, Name: "web-1abc"}:      {"uid": []byte("u-1")},
		},
	}
}

// shown is files as "mode content" by path.
func shown(files Files) map[string]string {
	found := map[string]string{}
	for path, file := range files {
		found[path] = fs.FileMode(file.Mode).String()[1:] + " " + string(file.Data)
	}
	return found
}

func TestPayload(t *testing.T) {
	for volume, want := range map[string]map[string]string{
		`"configMap": {"name": "settings"}`: {"a": "rw-r--r-- A", "b": "rw-r--r-- B"},
		`"configMap": {"name": "settings", "defaultMode": 288, "items": [{"key": "a", "path": "x/y"}, {"key": "b", "path": "b", "mode": 384}]}`: {
			"x/y": "r--r----- A", "b": "rw------- B"},
		`"configMap": {"name": "settings", "optional": true, "items": [{"key": "none", "path": "n"}]}`: {},
		`"configMap": {"name": "none", "optional": true}`:                                              {},
		`"secret": {"secretName": "hidden", "defaultMode": 256}`:                                       {"k": "r-------- K"},
		`"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}, {"path": "one", "fieldRef": {"fieldPath": "metadata.labels['b']"}, "mode": 256},
			{"path": "notes", "fieldRef": {"fieldPath": "metadata.annotations"}}, {"path": "uid", "fieldRef": {"fieldPath": "metadata.uid"}}]}`: {
			"labels": "rw-r--r-- a=\"1\"\nb=\"2\"", "one": "r-------- 2", "notes": `rw-r--r-- note="x \"y\"\nz"`, "uid": "rw-r--r-- u-1"},
		`"downwardAPI": {"items": [{"path": "m", "resourceFieldRef": {"containerName": "web", "resource": "limits.memory", "divisor": "1Mi"}},
			{"path": "c", "resourceFieldRef": {"containerName": "web", "resource": "limits.cpu"}}, {"path": "r", "resourceFieldRef": {"containerName": "web", "resource": "requests.cpu", "divisor": "1m"}},
			{"path": "rm", "resourceFieldRef": {"containerName": "web", "resource": "requests.memory"}},
			{"path": "fc", "resourceFieldRef": {"containerName": "free", "resource": "limits.cpu", "divisor": "0"}}, {"path": "fm", "resourceFieldRef": {"containerName": "free", "resource": "limits.memory", "divisor": "1Ki"}},
			{"path": "fr", "resourceFieldRef": {"containerName": "free", "resource": "requests.memory"}}]}`: {
			"m": "rw-r--r-- 96", "c": "rw-r--r-- 2", "r": "rw-r--r-- 250", "rm": "rw-r--r-- 100663296", "fc": "rw-r--r-- 2", "fm": "rw-r--r-- 977", "fr": "rw-r--r-- 0"},
		`"projected": {"defaultMode": 292, "sources": [{"configMap": {"name": "settings", "items": [{"key": "a", "path": "c/a"}]}}, {"secret": {"name": "hidden"}},
			{"serviceAccountToken": {"path": "token"}}, {"serviceAccountCA": {"path": "ca.crt"}}, {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}`: {
			"c/a": "r--r--r-- A", "k": "r--r--r-- K", "token": "r--r--r-- T", "ca.crt": "r--r--r-- C", "ns": "r--r--r-- shop"},
	} {
		files, err := Payload(input(t), kubetest.Object(t, `{"name": "v", `+volume+`}`))
		if err != nil {
			t.Errorf("%s: %v", volume, err)
		} else if got := shown(files); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", volume, got, want)
		}
	}
}

func TestPayloadNamesWhatIsMissing(t *testing.T) {
	for want, volume := range map[string]string{
		`volume v: ConfigMap none doesn't exist`:               `"configMap": {"name": "none"}`,
		`volume v: ConfigMap settings has no key "x"`:          `"configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}`,
		`volume v: Secret none doesn't exist`:                  `"projected": {"sources": [{"secret": {"name": "none"}}]}`,
		`volume v: a machine can't project podCertificate`:     `"projected": {"sources": [{"podCertificate": {}}]}`,
		`volume v: a volume can't show the field status.podIP`: `"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "status.podIP"}}]}`,
		`volume v: there is no container "x" for limits.cpu`:   `"downwardAPI": {"items": [{"path": "x", "resourceFieldRef": {"containerName": "x", "resource": "limits.cpu"}}]}`,
		`volume v: limits.cpu: divisor: "many" is no quantity`: `"downwardAPI": {"items": [{"path": "x", "resourceFieldRef": {"containerName": "web", "resource": "limits.cpu", "divisor": "many"}}]}`,
		`volume v: there is no resource "cpu" of a container`:  `"downwardAPI": {"items": [{"path": "x", "resourceFieldRef": {"containerName": "web", "resource": "cpu"}}]}`,
	} {
		if _, err := Payload(input(t), kubetest.Object(t, `{"name": "v", `+volume+`}`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAKeyThatIsMissingOnADiskNeedsARestart(t *testing.T) {
	in := input(t)
	in.OnDisks = kube.OnDisks{{Kind: kube.ConfigMap, Name: "settings"}: true}
	_, err := Payload(in, kubetest.Object(t, `{"name": "v", "configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}}`))
	if err == nil || !strings.Contains(err.Error(), "add it and restart the machine (twinhull restart)") {
		t.Errorf("got %v", err)
	}
}

func TestATokenIsForItsUser(t *testing.T) {
	source := kubetest.Object(t, `{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}`)
	for change, want := range map[string]struct {
		mode  fs.FileMode
		owner int64
	}{
		`{"containers": [{}, {}]}`: {0o644, -1},
		`{"containers": [{}, {}], "securityContext": {"runAsUser": 1000}}`:                                    {0o600, 1000},
		`{"containers": [{}, {"securityContext": {"runAsUser": 5}}], "securityContext": {"runAsUser": 1000}}`: {0o644, -1},
		`{"containers": [{"securityContext": {"runAsUser": 5}}, {"securityContext": {"runAsUser": 5}}]}`:      {0o600, 5},
		`{"containers": [{}, {}], "securityContext": {"fsGroup": 7}}`:                                         {0o600, -1},
	} {
		in := input(t)
		in.Pod["spec"] = kubetest.Object(t, change)
		files, err := Payload(in, source)
		if err != nil {
			t.Fatal(err)
		}
		file, owner := files["token"], int64(-1)
		if file.Owner != nil {
			owner = *file.Owner
		}
		if fs.FileMode(file.Mode) != want.mode || owner != want.owner {
			t.Errorf("%s: got %o of %d", change, file.Mode, owner)
		}
	}
}

func files(pairs ...string) Files {
	made := Files{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = File{Data: []byte(pairs[i+1]), Mode: 0o640}
	}
	return made
}

// contents is what is seen in a volume, by path.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		root, err := filepath.EvalSymlinks(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				data, _ := os.ReadFile(path)
				_, below, _ := strings.Cut(path[len(folder)+1:], "/")
				found[below] = string(data)
			}
			return err
		})
	}
	return found
}

func TestWriteShowsTheNewestFilesAndNothingElse(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "v")
	for _, step := range []Files{
		files("a", "1", "d/x", "2", "d/e/y", "3"),
		files("a", "1", "d/x", "2", "d/e/y", "3"),
		files("a", "new", "d/x", "2"),
		files("b", "1"),
		files(),
		files("a", "back"),
	} {
		if err := Write(folder, step, -1); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for path, file := range step {
			want[path] = string(file.Data)
		}
		if got := contents(t, folder); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		entries, _ := filepath.Glob(folder + "/..2*")
		if len(entries) != 1 {
			t.Errorf("folders: %q", entries)
		}
	}
}

func TestWriteLeavesWhatHasNotChanged(t *testing.T) {
	folder := t.TempDir()
	if err := Write(folder, files("a", "1"), -1); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Readlink(folder + "/..data")
	if err := Write(folder, files("a", "1"), -1); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Readlink(folder + "/..data")
	link, _ := os.Readlink(folder + "/a")
	if before != after || link != "..data/a" {
		t.Errorf("%s, then %s; a is a link to %s", before, after, link)
	}
	if stat, err := os.Stat(folder + "/a"); err != nil || stat.Mode() != 0o640 {
		t.Errorf("%v, %v", stat, err)
	}
	if err := os.Mkdir(folder+"/mountpoint", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder, files("b", "1"), -1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder + "/mountpoint"); err != nil {
		t.Error("a mount point was removed")
	}
}

func TestWriteRefusesPathsOutOfTheVolume(t *testing.T) {
	for _, path := range []string{"", "/etc/x", "../x", "a/../../x", "..data", "..x"} {
		if err := Write(t.TempDir(), files(path, "1"), -1); err == nil {
			t.Errorf("%q is written", path)
		}
	}
}

func TestAFailedWriteLeavesNoFolder(t *testing.T) {
	for name, c := range map[string]struct {
		files Files
		taken string
	}{
		"a file that can't be written": {files("a", "1", "a/b", "2"), ""},
		"a link that can't be made":    {files("a", "new"), "..data_tmp/x"},
	} {
		folder := t.TempDir()
		if err := Write(folder, files("a", "old"), -1); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(folder, c.taken), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Write(folder, c.files, -1); err == nil {
			t.Errorf("%s: no error", name)
		}
		if entries, _ := filepath.Glob(folder + "/..2*"); len(entries) != 1 {
			t.Errorf("%s: folders %q", name, entries)
		}
		if data, err := os.ReadFile(folder + "/a"); string(data) != "old" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestVolumesInMemoryAreSticky(t *testing.T) {
	for kind, want := range map[string]fs.FileMode{"configMap": 0o777, "secret": fs.ModeSticky | 0o777} {
		folder := filepath.Join(t.TempDir(), "v")
		for range 2 {
			if err := Make(folder, kube.Object{kind: kube.Object{}}); err != nil {
				t.Fatal(err)
			}
			if err := Write(folder, files("a", "1"), -1); err != nil {
				t.Fatal(err)
			}
		}
		if stat, err := os.Stat(folder); err != nil || stat.Mode() != fs.ModeDir|want {
			t.Errorf("%s: %v, %v", kind, stat.Mode(), err)
		}
	}
}

func TestWriteGivesTheGroupWhatItNeeds(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "v")
	if err := Make(folder, kube.Object{"configMap": kube.Object{}}); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder, Files{"d/a": {Data: []byte("1"), Mode: 0o400}}, int64(os.Getgid())); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		"": fs.ModeDir | fs.ModeSetgid | 0o777, "d": fs.ModeDir | fs.ModeSetgid | 0o755, "d/a": 0o440,
	} {
		stat, err := os.Stat(filepath.Join(folder, path))
		if err != nil || stat.Mode()&^0o022 != want&^0o022 {
			t.Errorf("%q: %v, %v", path, stat.Mode(), err)
		}
	}
}

func TestNestedMounts(t *testing.T) {
	nested := kubetest.Object(t, `{"spec": {"initContainers": [{"volumeMounts": [{"name": "v", "mountPath": "/i"}, {"name": "w", "mountPath": "/i/sub/"}]}],
		"containers": [{"volumeMounts": [{"name": "v", "mountPath": "/dir"}, {"name": "a", "mountPath": "/dir/nested"}, {"name": "b", "mountPath": "/dir/nested/double"},
		{"name": "c", "mountPath": "/dir/nested2"}, {"name": "d", "mountPath": "/dirx"}]}]}}`)
	if got, want := NestedMounts(nested, "v"), []string{"sub", "nested", "nested2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAVolumeThatCanBeWrittenToIsGivenToItsGroup(t *testing.T) {
	group := int64(os.Getgid()) // the only group that anybody may give to
	tree := func() (root, file, folder string) {
		root = t.TempDir()
		file, folder = filepath.Join(root, "file"), filepath.Join(root, "folder")
		for _, err := range []error{
			os.WriteFile(file, nil, 0o600), os.Mkdir(folder, 0o700), os.Symlink("nowhere", filepath.Join(root, "link")),
			os.Chmod(root, 0o755),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return root, file, folder
	}
	mode := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	root, file, folder := tree()
	if err := Give(root, group, false); err != nil {
		t.Fatal(err)
	}
	if found := mode(file); found != 0o660 {
		t.Errorf("the file is %v", found)
	}
	for _, path := range []string{root, folder} {
		if found := mode(path); found&fs.ModeSetgid == 0 || found&0o770 != 0o770 {
			t.Errorf("%s is %v", path, found)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Give(root, group, false); err != nil || mode(file) != 0o600 {
		t.Errorf("OnRootMismatch: the file is %v, and nothing was to be done (%v)", mode(file), err)
	}
	if err := Give(root, group, true); err != nil || mode(file) != 0o660 {
		t.Errorf("Always: the file is %v (%v)", mode(file), err)
	}
}
