package resolve

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/kube/kubetest"
	"twinhull.dev/guest/agent/internal/manifest"
)

// input is a Pod with a spec, and what the tests' machine was given.
func input(t *testing.T, spec string) Input {
	t.Helper()
	pod := kubetest.Object(t, `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1abc", "namespace": "shop"}}`)
	pod["spec"] = kubetest.Object(t, spec)
	return Input{
		Pod: pod, Own: netip.MustParseAddr("10.0.2.2"), ClusterDomain: "cluster.local", Volumes: "/v",
		Claims: kube.Claims{
			Devices: map[string]string{"data": "/dev/vdc"}, Folders: map[string]string{"files": "/run/twinhull/attachments/claim-1"},
		},
		Objects: kube.Objects{
			{Kind: kube.ConfigMap, Name: "settings"}: {"mode": []byte("fast"), "app.conf": []byte("a $(B) $"), "blob": {0xff, 0xfe}},
			{Kind: kube.Secret, Name: "db"}:          {"password": []byte("p$$w"), "blob": {0xff}},
		},
	}
}

func resolved(t *testing.T, in Input) Output {
	t.Helper()
	before, _ := json.Marshal(in.Pod)
	out, err := Pod(in)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(in.Pod); string(before) != string(after) {
		t.Fatalf("the input was changed:\n%s\n%s", before, after)
	}
	return out
}

func container(out Output, index int) kube.Object { return kube.Containers(out.Pod)[index] }

// wants compares a value with JSON.
func wants(t *testing.T, what string, got any, want string) {
	t.Helper()
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var is, should any
	if json.Unmarshal(data, &is) != nil || json.Unmarshal([]byte(want), &should) != nil {
		t.Fatalf("%s: %s or %s is no JSON", what, data, want)
	}
	if !reflect.DeepEqual(is, should) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, data, want)
	}
}

func TestAStaticPodIsOtherwiseThePodItself(t *testing.T) {
	in := input(t, `{"hostname": "web", "restartPolicy": "Never", "terminationGracePeriodSeconds": 9007199254740993, "newField": {"kept": [1.50]},
		"affinity": {}, "nodeSelector": {}, "tolerations": [], "topologySpreadConstraints": [], "schedulerName": "x", "priorityClassName": "y",
		"runtimeClassName": "z", "serviceAccountName": "robot", "nodeName": "n", "imagePullSecrets": [{"name": "s"}], "resourceClaims": [],
		"schedulingGates": [], "readinessGates": [], "hostAliases": [{"ip": "10.9.8.7"}],
		"containers": [{"name": "web", "image": "i", "newField": true}], "volumes": [{"name": "e", "emptyDir": {}}, {"name": "i", "image": {"reference": "r"}}]}`)
	in.Pod["metadata"].(kube.Object)["labels"] = kube.Object{"a": "b"}
	in.UID, in.Digest = "own", "abc"
	out := resolved(t, in)
	data, _ := json.Marshal(out.Pod)
	if !strings.Contains(string(data), "9007199254740993") || !strings.Contains(string(data), "1.50") {
		t.Errorf("a number was changed: %s", data)
	}
	wants(t, "metadata", out.Pod["metadata"], `{"name": "web", "namespace": "shop", "labels": {"a": "b"}, "uid": "own", "generation": 1,
		"annotations": {"twinhull.dev/manifest": "abc"}}`)
	spec := kube.Map(out.Pod, "spec")
	delete(spec, "terminationGracePeriodSeconds")
	wants(t, "spec", spec, `{"hostname": "web", "restartPolicy": "Never", "newField": {"kept": [1.5]}, "hostNetwork": true,
		"dnsPolicy": "Default", "dnsConfig": {"options": [{"name": "ndots", "value": "5"}]}, "hostAliases": [{"ip": "10.9.8.7"}],
		"containers": [{"name": "web", "image": "i", "newField": true}],
		"volumes": [{"name": "e", "emptyDir": {}}, {"name": "i", "image": {"reference": "r"}}]}`)
}

func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct{ container, want string }{
		"values are the kubelet's to expand": {
			`"env": [{"name": "A", "value": "$(B)"}, {"name": "C"}]`,
			`[{"name": "A", "value": "$(B)"}, {"name": "C"}]`},
		"values of objects aren't expanded": {
			`"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "app.conf"}}},
			         {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]`,
			`[{"name": "A", "value": "a $$(B) $$"}, {"name": "B", "value": "p$$$$w"}]`},
		"what is optional and absent is left out": {
			`"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x", "optional": true}}},
			         {"name": "B", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": true}}}, {"name": "C", "value": "c"}]`,
			`[{"name": "C", "value": "c"}]`},
		"whole objects come first, sorted, with their prefix, less what is binary": {
			`"env": [{"name": "mode", "value": "slow"}],
			 "envFrom": [{"prefix": "P_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "none", "optional": true}}]`,
			`[{"name": "P_app.conf", "value": "a $$(B) $$"}, {"name": "P_mode", "value": "fast"}, {"name": "mode", "value": "slow"}]`},
		"the kubelet knows metadata and resources itself": {
			`"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}}, {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
			         {"name": "C", "valueFrom": {"fileKeyRef": {"key": "k"}}}]`,
			`[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}}, {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
			  {"name": "C", "valueFrom": {"fileKeyRef": {"key": "k"}}}]`},
		"the ServiceAccount's name is the default one": {
			`"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}}]`,
			`[{"name": "A", "value": "default"}]`},
	} {
		out := resolved(t, input(t, `{"containers": [{"name": "web", `+c.container+`}]}`))
		wants(t, name, container(out, 0)["env"], c.want)
		if container(out, 0)["envFrom"] != nil {
			t.Errorf("%s: envFrom is still there", name)
		}
	}
}

func TestTheAPIServersAddressComesBeforeAllElse(t *testing.T) {
	in := input(t, `{"initContainers": [{"name": "init"}], "containers": [{"name": "web", "env": [{"name": "A", "value": "$(KUBERNETES_SERVICE_HOST)"}]}]}`)
	in.Kubernetes = "10.96.0.1"
	out := resolved(t, in)
	const service = `{"name": "KUBERNETES_SERVICE_HOST", "value": "10.96.0.1"}, {"name": "KUBERNETES_SERVICE_PORT", "value": "443"},
		{"name": "KUBERNETES_SERVICE_PORT_HTTPS", "value": "443"}, {"name": "KUBERNETES_PORT", "value": "tcp://10.96.0.1:443"},
		{"name": "KUBERNETES_PORT_443_TCP", "value": "tcp://10.96.0.1:443"}, {"name": "KUBERNETES_PORT_443_TCP_PROTO", "value": "tcp"},
		{"name": "KUBERNETES_PORT_443_TCP_PORT", "value": "443"}, {"name": "KUBERNETES_PORT_443_TCP_ADDR", "value": "10.96.0.1"}`
	wants(t, "init", container(out, 0)["env"], `[`+service+`]`)
	wants(t, "web", container(out, 1)["env"], `[`+service+`, {"name": "A", "value": "$(KUBERNETES_SERVICE_HOST)"}]`)
}

func TestErrorsNameWhatIsMissing(t *testing.T) {
	for want, c := range map[string]string{
		`container web: env A: ConfigMap settings has no key "x"; add it`:    `"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x"}}}]`,
		`container web: env A: Secret none doesn't exist; create it`:         `"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x"}}}]`,
		`container web: env A: ConfigMap settings has no key "blob"`:         `"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "blob"}}}]`,
		`container web: env A: Secret db: the value of "blob" is not te`:     `"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "blob"}}}]`,
		`container web: envFrom: ConfigMap none doesn't exist`:               `"envFrom": [{"configMapRef": {"name": "none"}}]`,
		`container web: env A: status.hostIP is told to this machine by no `: `"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]`,
		`container web: env A: spec.nodeName isn't told to this machine`:     `"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]`,
		`there is no block device for volume d (PersistentVolumeClaim )`:     `"volumeDevices": [{"name": "d", "devicePath": "/dev/x"}]`,
	} {
		_, err := Pod(input(t, `{"containers": [{"name": "web", `+c+`}], "volumes": [{"name": "c", "persistentVolumeClaim": {"claimName": "data"}}]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAKeyThatIsMissingOnADiskNeedsARestart(t *testing.T) {
	in := input(t, `{"containers": [{"name": "web", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x"}}}]}]}`)
	in.OnDisks = manifest.OnDisks([]manifest.Attachment{{Kind: kube.ConfigMap, Name: "settings", Serial: "configmap-0"}})
	want := `has no key "x"; add it and restart the machine (twinhull restart), which reads it at its start only, or make`
	if _, err := Pod(in); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	in.OnDisks = manifest.OnDisks([]manifest.Attachment{{Kind: kube.ConfigMap, Name: "settings", Tag: "configmap-0"}})
	if _, err := Pod(in); err == nil || strings.Contains(err.Error(), "restart") {
		t.Errorf("got %v", err)
	}
}

func TestTheAddressAndTheLauncherAreWaitedFor(t *testing.T) {
	in := input(t, `{"containers": [{"name": "web", "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
		{"name": "UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
		{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}, {"name": "HOSTS", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIPs"}}}]}]}`)
	in.Asked = true
	launcher := kube.Data{}
	in.Objects[kube.Ref{Kind: kube.Launcher, Name: "web-1abc"}] = launcher
	for _, next := range []struct {
		missing string
		comes   func()
	}{
		{"status.podIPs", func() { in.Known = netip.MustParseAddr("10.244.1.7") }},
		{"metadata.uid", func() { launcher["uid"] = []byte("u-1\n") }},
		{"spec.nodeName", func() { launcher["node"] = []byte("node-1") }},
		{"status.hostIP", func() { in.Hosts = []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fd00::7")} }},
	} {
		_, err := Pod(in)
		var waiting Waiting
		if !errors.As(err, &waiting) || !strings.Contains(waiting.For, next.missing) {
			t.Fatalf("%s: %v", next.missing, err)
		}
		next.comes()
	}
	out := resolved(t, in)
	wants(t, "env", container(out, 0)["env"], `[{"name": "IP", "value": "10.244.1.7"},
		{"name": "UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}, {"name": "NODE", "value": "node-1"},
		{"name": "HOST", "value": "10.0.0.7"}, {"name": "HOSTS", "value": "10.0.0.7,fd00::7"}]`)
	if uid := kube.Text(kube.Map(out.Pod, "metadata"), "uid"); uid != "u-1" {
		t.Errorf("uid %q", uid)
	}
}

func TestVolumesBecomeFoldersMountedReadOnly(t *testing.T) {
	out := resolved(t, input(t, `{"initContainers": [{"name": "init", "volumeMounts": [{"name": "config", "mountPath": "/c"}]}],
		"containers": [{"name": "web", "volumeMounts": [{"name": "config", "mountPath": "/c", "subPath": "mode"}, {"name": "scratch", "mountPath": "/s"}]}],
		"volumes": [{"name": "config", "configMap": {"name": "settings", "items": [{"key": "mode", "path": "mode"}]}}, {"name": "scratch", "emptyDir": {}},
		            {"name": "down", "downwardAPI": {"items": []}}]}`))
	wants(t, "volumes", kube.Map(out.Pod, "spec")["volumes"], `[{"name": "config", "hostPath": {"path": "/v/config", "type": "Directory"}},
		{"name": "scratch", "emptyDir": {}}, {"name": "down", "hostPath": {"path": "/v/down", "type": "Directory"}}]`)
	wants(t, "init", container(out, 0)["volumeMounts"], `[{"name": "config", "mountPath": "/c", "readOnly": true}]`)
	wants(t, "web", container(out, 1)["volumeMounts"], `[{"name": "config", "mountPath": "/c", "subPath": "mode", "readOnly": true}, {"name": "scratch", "mountPath": "/s"}]`)
	wants(t, "written", out.Volumes, `[{"name": "config", "configMap": {"name": "settings", "items": [{"key": "mode", "path": "mode"}]}}, {"name": "down", "downwardAPI": {"items": []}}]`)
}

func TestTheTokenIsMountedWhereNothingElseIs(t *testing.T) {
	const path = "/var/run/secrets/kubernetes.io/serviceaccount"
	in := input(t, `{"initContainers": [{"name": "init"}], "containers": [{"name": "own", "volumeMounts": [{"name": "e", "mountPath": "`+path+`"}]}, {"name": "web"}],
		"volumes": [{"name": "e", "emptyDir": {}}]}`)
	in.Objects[kube.Ref{Kind: kube.ServiceAccount, Name: "default"}] = kube.Data{"token": []byte("t")}
	out := resolved(t, in)
	mount := `[{"name": "kube-api-access-twinhull", "mountPath": "` + path + `", "readOnly": true}]`
	wants(t, "init", container(out, 0)["volumeMounts"], mount)
	wants(t, "own", container(out, 1)["volumeMounts"], `[{"name": "e", "mountPath": "`+path+`"}]`)
	wants(t, "web", container(out, 2)["volumeMounts"], mount)
	if len(out.Volumes) != 1 || len(kube.List(kube.Map(out.Volumes[0], "projected"), "sources")) != 3 {
		t.Errorf("volumes %v", out.Volumes)
	}
	written, err := AgentVolumes(in)
	if err != nil || !reflect.DeepEqual(written, out.Volumes) {
		t.Errorf("written %v, %v", written, err)
	}

	kube.Map(in.Pod, "spec")["automountServiceAccountToken"] = false
	if out = resolved(t, in); out.Volumes != nil || container(out, 0)["volumeMounts"] != nil {
		t.Errorf("a token that isn't wanted: %v", out.Volumes)
	}
}

func TestBlockClaimsBecomeDevices(t *testing.T) {
	out := resolved(t, input(t, `{"containers": [{"name": "db", "volumeDevices": [{"name": "d", "devicePath": "/dev/xvda"}, {"name": "r", "devicePath": "/dev/xvdb"}]}, {"name": "web"}],
		"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "e", "emptyDir": {}}, {"name": "r", "persistentVolumeClaim": {"claimName": "data", "readOnly": true}}]}`))
	wants(t, "devices", out.Devices, `{"db": [{"path": "/dev/xvda", "source": "/dev/vdc", "permissions": "rwm"}, {"path": "/dev/xvdb", "source": "/dev/vdc", "permissions": "r"}]}`)
	wants(t, "volumes", kube.Map(out.Pod, "spec")["volumes"], `[{"name": "e", "emptyDir": {}}]`)
	if container(out, 0)["volumeDevices"] != nil {
		t.Error("volumeDevices are still there")
	}
	if _, err := Pod(input(t, `{"containers": [{"name": "db", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}`)); err == nil {
		t.Error("a block claim is mounted as a file system")
	}
}

func TestClaimsWithAFolderAreMountedFromThere(t *testing.T) {
	out := resolved(t, input(t, `{"containers": [{"name": "db", "volumeMounts": [{"name": "f", "mountPath": "/f", "subPath": "a"}, {"name": "r", "mountPath": "/r"}]}],
		"volumes": [{"name": "f", "persistentVolumeClaim": {"claimName": "files"}}, {"name": "r", "persistentVolumeClaim": {"claimName": "files", "readOnly": true}}]}`))
	wants(t, "volumes", kube.Map(out.Pod, "spec")["volumes"], `[{"name": "f", "hostPath": {"path": "/run/twinhull/attachments/claim-1", "type": "Directory"}},
		{"name": "r", "hostPath": {"path": "/run/twinhull/attachments/claim-1", "type": "Directory"}}]`)
	wants(t, "mounts", container(out, 0)["volumeMounts"], `[{"name": "f", "mountPath": "/f", "subPath": "a"}, {"name": "r", "mountPath": "/r", "readOnly": true}]`)
	if len(out.Volumes) != 0 {
		t.Errorf("the agent writes %v", out.Volumes)
	}
}

func TestProbesAndHooksGoToTheMachinesAddressByNumber(t *testing.T) {
	out := resolved(t, input(t, `{"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080, "hostPort": 1}],
		"livenessProbe": {"httpGet": {"path": "/", "port": "http"}}, "readinessProbe": {"tcpSocket": {"port": "9090", "host": "127.0.0.1"}},
		"startupProbe": {"httpGet": {"port": "unknown", "host": ""}},
		"lifecycle": {"preStop": {"httpGet": {"port": 8081}}, "postStart": {"exec": {"command": ["x"]}}}}, {"name": "b", "livenessProbe": {"grpc": {"port": 1}}}]}`))
	web := container(out, 0)
	wants(t, "liveness", web["livenessProbe"], `{"httpGet": {"path": "/", "port": 8080, "host": "10.0.2.2"}}`)
	wants(t, "readiness", web["readinessProbe"], `{"tcpSocket": {"port": 9090, "host": "127.0.0.1"}}`)
	wants(t, "startup", web["startupProbe"], `{"httpGet": {"port": "unknown", "host": "10.0.2.2"}}`)
	wants(t, "lifecycle", web["lifecycle"], `{"preStop": {"httpGet": {"port": 8081, "host": "10.0.2.2"}}, "postStart": {"exec": {"command": ["x"]}}}`)
	wants(t, "gRPC", container(out, 1)["livenessProbe"], `{"grpc": {"port": 1}}`)
	if web["ports"] != nil {
		t.Error("ports are still there")
	}
}

func TestTheNetworksSysctlsAreTheMachines(t *testing.T) {
	out := resolved(t, input(t, `{"containers": [{"name": "a"}], "securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "9"},
		{"name": "kernel.shm_rmid_forced", "value": "1"}, {"name": "net/ipv4/tcp_syncookies", "value": "0"}]}}`))
	wants(t, "taken", out.Sysctls, `[["net.core.somaxconn", "9"], ["net/ipv4/tcp_syncookies", "0"]]`)
	wants(t, "left", kube.Map(out.Pod, "spec")["securityContext"], `{"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}`)
	for name, want := range map[string]string{
		"net.ipv4.ip_forward": "net/ipv4/ip_forward", "net/ipv4/conf/eth0.1/forwarding": "net/ipv4/conf/eth0.1/forwarding",
		"net.ipv4.conf.eth0/1.forwarding": "net/ipv4/conf/eth0.1/forwarding",
	} {
		if got := SysctlPath(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestDNS(t *testing.T) {
	for spec, want := range map[string]string{
		`{}`: `{"options": [{"name": "ndots", "value": "5"}]}`,
		`{"dnsPolicy": "ClusterFirst", "dnsConfig": {"options": [{"name": "ndots", "value": "2"}], "searches": ["x"], "nameservers": ["1.1.1.1"]}}`: `{"options": [{"name": "ndots", "value": "2"}]}`,
		`{"dnsPolicy": "ClusterFirst", "dnsConfig": {"options": [{"name": "edns0"}]}}`:                                                              `{"options": [{"name": "ndots", "value": "5"}, {"name": "edns0"}]}`,
		`{"dnsPolicy": "Default"}`: `null`,
		`{"dnsPolicy": "None", "dnsConfig": {"options": [{"name": "timeout", "value": "3"}], "nameservers": ["1.1.1.1"]}}`: `{"options": [{"name": "timeout", "value": "3"}]}`,
	} {
		in := input(t, spec)
		kube.Map(in.Pod, "spec")["containers"] = []any{kube.Object{"name": "a"}}
		out := resolved(t, in)
		wants(t, spec, kube.Map(out.Pod, "spec")["dnsConfig"], want)
		if policy := kube.Text(kube.Map(out.Pod, "spec"), "dnsPolicy"); policy != "Default" {
			t.Errorf("%s: policy %s", spec, policy)
		}
	}
}

func TestASubdomainIsNotSearched(t *testing.T) {
	in := input(t, `{"subdomain": "s", "containers": [{"name": "a"}]}`)
	in.Nameservers = []netip.Addr{netip.MustParseAddr("10.96.0.10")}
	in.Search = []string{"s.shop.svc.cluster.local", "shop.svc.cluster.local", "svc.cluster.local"}
	spec := kube.Map(resolved(t, in).Pod, "spec")
	wants(t, "dnsPolicy", spec["dnsPolicy"], `"None"`)
	wants(t, "dnsConfig", spec["dnsConfig"], `{"options": [{"name": "ndots", "value": "5"}], "nameservers": ["10.96.0.10"],
		"searches": ["shop.svc.cluster.local", "svc.cluster.local"]}`)
}

func TestHostname(t *testing.T) {
	long := strings.Repeat("a", 62) + "-b"
	for spec, want := range map[string][2]string{
		`{"hostname": "web"}`:                   {"web", ""},
		`{}`:                                    {"web-1abc", ""},
		`{"hostname": "web", "subdomain": "s"}`: {"web", "s.shop.svc.cluster.local"},
		`{"hostname": "` + long + `"}`:          {strings.Repeat("a", 62), ""},
		`{"hostname": "w", "setHostnameAsFQDN": true}`:                   {"w", ""},
		`{"hostname": "w", "subdomain": "s", "setHostnameAsFQDN": true}`: {"w.s.shop.svc.cluster.local", "s.shop.svc.cluster.local"},
	} {
		in := input(t, spec)
		kube.Map(in.Pod, "spec")["containers"] = []any{kube.Object{"name": "a"}}
		if out := resolved(t, in); out.Hostname != want[0] || out.Domain != want[1] {
			t.Errorf("%s: got %q, %q", spec, out.Hostname, out.Domain)
		}
	}
	in := input(t, `{"containers": [], "hostname": "`+strings.Repeat("a", 50)+`", "subdomain": "s", "setHostnameAsFQDN": true}`)
	if _, err := Pod(in); err == nil {
		t.Error("a hostname that is too long is no error")
	}
}
