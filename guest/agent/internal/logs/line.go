// Package logs copies the containers' logs to the console.
package logs

import (
	"bytes"
	"path/filepath"
	"strings"
)

// text is a container's own text in a line of its log: "<time> <stream> <P or F> <text>"
// (pkg/kubelet/kuberuntime/logs/logs.go, parseCRILog).
func text(line []byte) (printed string, ok bool) {
	parts := bytes.SplitN(line, []byte(" "), 4)
	if len(parts) < 3 || string(parts[1]) != "stdout" && string(parts[1]) != "stderr" {
		return "", false
	}
	if len(parts) == 3 {
		return "", true
	}
	// A container's own carriage returns and NULs would garble the console's lines.
	return strings.Map(func(letter rune) rune {
		if letter == '\r' || letter == 0 {
			return -1
		}
		return letter
	}, string(parts[3])), true
}

// container is whose log a file is: /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log
// (pkg/kubelet/kuberuntime/helpers.go, BuildContainerLogsDirectory).
func container(path string) string { return filepath.Base(filepath.Dir(path)) }
