// Package runtime is the step between containerd and crun.
package runtime

import "golang.org/x/sys/unix"

const crun = "/usr/bin/crun"

// Run becomes crun.
func Run(arguments []string) error {
	return unix.Exec(crun, append([]string{crun}, arguments[1:]...), unix.Environ())
}
