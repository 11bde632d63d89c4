package timeout

import (
	"errors"
	"testing"
	"time"
)

func TestWorkIsWaitedForOnlySoLongAndBegunOnce(t *testing.T) {
	var call Call[int]
	begun, release := 0, make(chan struct{})
	work := func() (int, error) {
		begun++
		<-release
		return 7, errors.New("its own")
	}
	for range 2 {
		_, err := call.Wait(10*time.Millisecond, work)
		var late Late
		if !errors.As(err, &late) || late.For <= 0 {
			t.Fatalf("got %v", err)
		}
	}
	close(release)
	if value, err := call.Wait(3*time.Minute, work); value != 7 || err == nil || err.Error() != "its own" || begun != 1 {
		t.Errorf("got %d, %v; begun %d times", value, err, begun)
	}
	if value, err := call.Wait(3*time.Minute, func() (int, error) { return 8, nil }); value != 8 || err != nil {
		t.Errorf("got %d, %v", value, err)
	}
}
