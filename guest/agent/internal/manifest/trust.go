package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Trust is what the VirtualMachine says of its manifest. The manifest is in a ConfigMap, which more people may write than the
// VirtualMachine.
type Trust struct {
	// Digest is that of the manifest which the machine runs by, "" if an earlier operator made the machine.
	Digest string
	// ClientCA is the CA (PEM) of the clients that may put a manifest, "" if nobody may.
	ClientCA string
}

// ReadTrust reads the folder that the disk `trust` is mounted at. A disk without a digest is an error.
func ReadTrust(folder string) (Trust, error) {
	digest, err := os.ReadFile(filepath.Join(folder, "manifest"))
	if err != nil {
		return Trust{}, err
	}
	trust := Trust{Digest: strings.TrimSpace(string(digest))}
	if trust.Digest == "" {
		return Trust{}, fmt.Errorf("the disk that says which manifest to trust is empty: see the VirtualMachine's annotations")
	}
	authority, err := os.ReadFile(filepath.Join(folder, "client-ca.crt"))
	if err != nil && !os.IsNotExist(err) {
		return Trust{}, err
	}
	trust.ClientCA = strings.TrimSpace(string(authority))
	return trust, nil
}

// Refuses tells why a manifest isn't the one that the machine runs by, "" if it is, or if the machine doesn't say. `data` is the
// manifest's bytes.
func (t Trust) Refuses(data []byte) string {
	if found := Digest(data); t.Digest != "" && found != t.Digest {
		return fmt.Sprintf("the machine's manifest (%.12s) isn't the one that its operator made it for (%.12s)",
			found, t.Digest)
	}
	return ""
}
