package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Trust is what the operator says of a machine's manifest where only the operator writes: on the VirtualMachine. Who may
// write ConfigMaps may write a manifest, but not this.
type Trust struct {
	// Digest is the one of the manifest that the machine runs by, "" on a machine of an operator that says none.
	Digest string
	// ClientCA is the CA of who may give the machine another, "" if nobody may.
	ClientCA string
}

// ReadTrust reads it from the folder that its disk is mounted at. Without a digest it would trust anything.
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

// Refuses tells why a manifest of these bytes isn't the one that the machine runs by, "" if it may be.
func (t Trust) Refuses(data []byte) string {
	if found := Digest(data); t.Digest != "" && found != t.Digest {
		return fmt.Sprintf("the machine's manifest (%.12s) isn't the one that its operator made it for (%.12s)",
			found, t.Digest)
	}
	return ""
}
