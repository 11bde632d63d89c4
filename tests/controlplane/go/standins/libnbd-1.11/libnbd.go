// Package libnbd stands for libnbd's Go bindings, whose host isn't reachable everywhere. CDI's importer uses them
// for VDDK alone: here every call fails, and says so.
package libnbd

import "errors"

// What pkg/importer/vddk-datasource_amd64.go of CDI 1.65.0 names.
const (
	CMD_FLAG_REQ_ONE CmdFlag = 8

	STATE_HOLE uint32 = 1
	STATE_ZERO uint32 = 2
)

var errAbsent = errors.New("built without libnbd")

type (
	CmdFlag        uint32
	ExtentCallback func(metacontext string, offset uint64, entries []uint32, error *int) int
	Libnbd         struct{}
	LibnbdError    struct{}
	PreadOptargs   struct{}
)

type BlockStatusOptargs struct {
	FlagsSet bool
	Flags    CmdFlag
}

func Create() (*Libnbd, error)                            { return nil, errAbsent }
func (*Libnbd) Close() *LibnbdError                       { return nil }
func (*Libnbd) AddMetaContext(string) error               { return errAbsent }
func (*Libnbd) ConnectUri(string) error                   { return errAbsent }
func (*Libnbd) GetSize() (uint64, error)                  { return 0, errAbsent }
func (*Libnbd) Pread([]byte, uint64, *PreadOptargs) error { return errAbsent }
func (*Libnbd) BlockStatus(uint64, uint64, ExtentCallback, *BlockStatusOptargs) error {
	return errAbsent
}
