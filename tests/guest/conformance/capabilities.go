package main

import (
	"fmt"
	"strconv"
)

// The names of the capabilities by their number (linux/capability.h).
var capabilityNames = []string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
}

// capabilities are the five sets of proc_pid_status(5), by name.
func capabilities(status map[string]string) map[string][]string {
	sets := map[string]string{
		"inheritable": "CapInh", "permitted": "CapPrm", "effective": "CapEff", "bounding": "CapBnd", "ambient": "CapAmb",
	}
	found := map[string][]string{}
	for set, key := range sets {
		bits, err := strconv.ParseUint(status[key], 16, 64)
		check(err)
		found[set] = []string{}
		for bit := range 64 {
			if bits&(1<<bit) != 0 {
				found[set] = append(found[set], capabilityName(bit))
			}
		}
	}
	return found
}

func capabilityName(bit int) string {
	if bit < len(capabilityNames) {
		return capabilityNames[bit]
	}
	return fmt.Sprint(bit)
}
