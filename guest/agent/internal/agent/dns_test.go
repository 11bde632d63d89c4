package agent

import (
	"errors"
	"net"
	"testing"
	"time"
)

func TestDNSIsAskedAgainForAsLongAsItMayYetTell(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		last time.Duration // the first second in which it isn't asked again
	}{
		"answered":   {nil, 0},
		"not found":  {&net.DNSError{IsNotFound: true}, 0},
		"no DNS":     {errors.New("else"), 0},
		"silent":     {&net.DNSError{IsTimeout: true, IsTemporary: true}, 17},
		"SERVFAIL":   {&net.DNSError{IsTemporary: true}, 5},
		"REFUSED":    {&net.DNSError{Err: "server misbehaving"}, 5},
		"wrapped up": {errors.Join(&net.DNSError{IsTimeout: true}), 17},
	} {
		second := time.Duration(0)
		for isWorthAsking(c.err, second*time.Second) {
			second++
		}
		if second != c.last {
			t.Errorf("%s: asked for %d s", name, second)
		}
	}
}
