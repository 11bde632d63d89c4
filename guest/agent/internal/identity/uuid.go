// Package identity makes names that nothing else has.
package identity

import (
	"crypto/rand"
	"fmt"
)

// UUID is a random one (RFC 9562, version 4).
func UUID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
