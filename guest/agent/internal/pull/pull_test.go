package pull

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
)

func TestCredentialsOfSeveralSecretsOfBothKinds(t *testing.T) {
	pod := kube.Object{"spec": kube.Object{"imagePullSecrets": []any{
		kube.Object{"name": "new"}, kube.Object{"name": "none"}, kube.Object{"name": "old"}, kube.Object{"name": "broken"},
	}}}
	config, skipped := Credentials(pod, kube.Objects{
		{Kind: kube.Secret, Name: "new"}:    {".dockerconfigjson": []byte(`{"auths": {"a.example": {"auth": "1"}}, "credHelpers": {}}`)},
		{Kind: kube.Secret, Name: "old"}:    {".dockercfg": []byte(`{"a.example": {"auth": "2"}, "b.example": {"username": "u"}}`)},
		{Kind: kube.Secret, Name: "broken"}: {".dockercfg": []byte(`{`)},
	})
	if want := `{"auths":{"a.example":{"auth":"1"},"a.example?2":{"auth":"2"},"b.example":{"username":"u"}}}`; string(config) != want {
		t.Errorf("got %s", config)
	}
	if len(skipped) != 2 || !strings.HasPrefix(skipped[0], "imagePullSecret none isn't used") || !strings.Contains(skipped[1], "broken") {
		t.Errorf("skipped %q", skipped)
	}
}

func TestAllCredentialsOfARegistryAreTried(t *testing.T) {
	for _, registry := range []string{"a.example", "a.example:5000", "https://a.example/v1/", "a.example/group?x=1", "a.example#x"} {
		auths := map[string]json.RawMessage{}
		for _, entry := range []string{"1", "2", "3", "2"} {
			add(auths, registry, json.RawMessage(entry))
		}
		var entries []string
		for spelling, entry := range auths {
			entries = append(entries, string(entry))
			if got, want := place(t, spelling), place(t, registry); got != want {
				t.Errorf("%s: the kubelet takes %s for %s", registry, spelling, got)
			}
		}
		slices.Sort(entries)
		if !slices.Equal(entries, []string{"1", "2", "3"}) {
			t.Errorf("%s: %q", registry, entries)
		}
	}
}

// place is what the kubelet takes an entry's key for.
func place(t *testing.T, key string) string {
	t.Helper()
	if !strings.Contains(key, "://") {
		key = "https://" + key
	}
	parsed, err := url.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host + parsed.Path
}

func TestHosts(t *testing.T) {
	for name, c := range map[string]struct {
		registry manifest.Registry
		toml, ca string
	}{
		"mirrors": {
			manifest.Registry{Host: "docker.io", Mirrors: []string{"https://m.example:5000", "http://n.example/v2/p"}, CA: &manifest.Authority{Bundle: "pem"}},
			"server = \"https://registry-1.docker.io\"\n\n[host.\"https://m.example:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"/c/docker.io/ca.crt\"\n" +
				"\n[host.\"http://n.example/v2/p\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"/c/docker.io/ca.crt\"\n", "/c/docker.io/ca.crt"},
		"a CA only": {
			manifest.Registry{Host: "r.example:5000", CA: &manifest.Authority{Bundle: "pem"}},
			"server = \"https://r.example:5000\"\nca = \"/c/r.example:5000/ca.crt\"\n", "/c/r.example:5000/ca.crt"},
	} {
		if toml, ca := Hosts(c.registry, "/c"); toml != c.toml || ca != c.ca {
			t.Errorf("%s: got %q and\n%s", name, ca, toml)
		}
	}
}
