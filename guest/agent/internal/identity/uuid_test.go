package identity

import (
	"regexp"
	"testing"
)

func TestEachUUIDIsAnother(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	one, other := UUID(), UUID()
	if !form.MatchString(one) || one == other {
		t.Errorf("%s, %s", one, other)
	}
}
