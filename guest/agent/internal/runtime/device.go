package runtime

import (
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/resolve"
)

// diskGroup and diskMode are what udev gives block devices on a Debian node (50-udev-default.rules).
const (
	diskGroup = 6
	diskMode  = 0o660
)

// AddDevice puts a block device into a container's OCI configuration, and lets it be used
// (github.com/opencontainers/runtime-spec, config-linux.md).
func AddDevice(config kube.Object, device resolve.Device, major, minor int64) {
	linux := fieldOf(config, "linux")
	kube.Append(linux, "devices", kube.Object{
		"type": "b", "path": device.Path, "major": major, "minor": minor,
		"fileMode": diskMode, "uid": 0, "gid": diskGroup,
	})
	resources := fieldOf(linux, "resources")
	kube.Append(resources, "devices", kube.Object{
		"allow": true, "type": "b", "major": major, "minor": minor, "access": device.Permissions,
	})
}

// fieldOf is an object's field, made if it isn't there.
func fieldOf(object kube.Object, key string) kube.Object {
	if found := kube.Map(object, key); found != nil {
		return found
	}
	made := kube.Object{}
	object[key] = made
	return made
}
