// Package runtime is the step between containerd and crun. It gives containers the block devices that their Pod claims, which a
// kubelet without an API server can't. It notes from what image each container is made. And it says of a container that is gone
// that it doesn't exist, in the words that containerd expects.
package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/resolve"
	"twinhull.dev/guest/agent/internal/rundir"
)

const crun = "/usr/bin/crun"

// Run does our part if a container is to be created, and then becomes crun.
func Run(arguments []string) error {
	if container := MissingContainer(arguments[1:]); container != "" {
		return fmt.Errorf("container %s does not exist", container)
	}
	if bundle := Bundle(arguments[1:]); bundle != "" {
		if err := create(bundle); err != nil {
			return err
		}
	}
	return unix.Exec(crun, append([]string{crun}, arguments[1:]...), unix.Environ())
}

// Bundle is the folder of a container to be created, "" if that isn't what the arguments say. containerd says
// it as "create --bundle <folder>" (github.com/containerd/go-runc, Create).
func Bundle(arguments []string) string {
	creates := false
	for index, argument := range arguments {
		value, inOne := strings.CutPrefix(argument, "--bundle=")
		switch {
		case argument == "create":
			creates = true
		case creates && inOne:
			return value
		case creates && (argument == "--bundle" || argument == "-b") && index+1 < len(arguments):
			return arguments[index+1]
		}
	}
	return ""
}

// MissingContainer is a container that crun is to kill or delete and has no state of, "" if the arguments say something else.
// containerd ends crun when a deletion takes longer than 10 s, and tries again. crun then complains of a missing file, which
// containerd doesn't understand: it knows runc's words, and would take the container for running for ever
// (cmd/containerd-shim-runc-v2/process: checkKillError of utils.go, delete of init.go).
func MissingContainer(arguments []string) string {
	var root, command, id string
	for index, argument := range arguments {
		switch {
		case argument == "--root" && index+1 < len(arguments):
			root = arguments[index+1]
		case argument == "--force": // which takes what is left
			return ""
		case argument == "kill" || argument == "delete":
			command = argument
		case command != "" && id == "" && !strings.HasPrefix(argument, "-"):
			id = argument
		}
	}
	if root == "" || id == "" || rundir.Exists(filepath.Join(root, id, "status")) {
		return ""
	}
	return id
}

// create does our part for a container to be created, whose id is its folder's name
// (containerd, core/runtime/v2/bundle.go).
func create(bundle string) error {
	path := filepath.Join(bundle, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config kube.Object
	if err := kube.Decode(data, &config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	container := name(config)
	if container == "" {
		return nil
	}
	made := rundir.Container{ID: filepath.Base(bundle), Image: image(config)}
	if err := rundir.WriteJSON(filepath.Join(rundir.ContainersMade, container), made, 0o644); err != nil {
		return err
	}
	return addDevices(config, container, path)
}

func addDevices(config kube.Object, container, path string) error {
	var wanted map[string][]resolve.Device
	if err := rundir.ReadJSON(rundir.ContainerDevices, &wanted); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	mine := wanted[container]
	if len(mine) == 0 {
		return nil
	}
	for _, device := range mine {
		var stat unix.Stat_t
		if err := unix.Stat(device.Source, &stat); err != nil {
			return fmt.Errorf("%s: %w", device.Source, err)
		}
		AddDevice(config, device, int64(unix.Major(stat.Rdev)), int64(unix.Minor(stat.Rdev)))
	}
	return rundir.WriteJSON(path, config, 0o600)
}

// name is a container's name, "" for a sandbox (containerd, internal/cri/annotations/annotations.go).
func name(config kube.Object) string {
	annotations := kube.Map(config, "annotations")
	if kube.Text(annotations, "io.kubernetes.cri.container-type") != "container" {
		return ""
	}
	return kube.Text(annotations, "io.kubernetes.cri.container-name")
}

// image is a container's image, as its Pod names it (containerd, internal/cri/server/container_create.go).
func image(config kube.Object) string {
	return kube.Text(kube.Map(config, "annotations"), "io.kubernetes.cri.image-name")
}
