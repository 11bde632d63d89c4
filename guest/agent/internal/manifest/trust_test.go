package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestTrustsTheManifestThatTheMachineNotes(t *testing.T) {
	trust, err := ReadTrust(folderWith(t, map[string]string{"manifest": Digest([]byte(whole)), "client-ca.crt": "pem\n"}))
	if err != nil || trust.ClientCA != "pem" {
		t.Fatalf("%+v, %v", trust, err)
	}
	if why := trust.Refuses([]byte(whole)); why != "" {
		t.Errorf("its own is refused: %s", why)
	}
	for name, other := range map[string]string{
		"another image": strings.Replace(whole, `"web"`, `"other"`, 1),
		"a space more":  whole + " ",
		"nothing":       "",
	} {
		if why := trust.Refuses([]byte(other)); !strings.Contains(why, "isn't the one") {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestADiskThatSaysNothingIsNoTrust(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"empty":     {"manifest": " \n"},
		"no digest": {"client-ca.crt": "pem"},
		"nothing":   {},
	} {
		if trust, err := ReadTrust(folderWith(t, files)); err == nil {
			t.Errorf("%s: %+v", name, trust)
		}
	}
	if trust, err := ReadTrust(folderWith(t, map[string]string{"manifest": "d"})); err != nil || trust.ClientCA != "" {
		t.Errorf("%+v, %v", trust, err)
	}
}

func TestAMachineThatNotesNoManifestTakesWhatThereIs(t *testing.T) {
	if why := (Trust{}).Refuses([]byte(whole)); why != "" {
		t.Error(why)
	}
}
