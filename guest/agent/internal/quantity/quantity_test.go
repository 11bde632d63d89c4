package quantity

import "testing"

func TestCeil(t *testing.T) {
	for _, c := range []struct{ amount, divisor, want string }{
		{"128Mi", "1Mi", "128"}, {"128Mi", "1", "134217728"}, {"1", "1m", "1000"}, {"100m", "1", "1"},
		{"1500m", "1", "2"}, {"1Gi", "1M", "1074"}, {"12e6", "1k", "12000"}, {"1.5Gi", "1Mi", "1536"},
		{"1E", "1P", "1000"}, {"2Ei", "1Pi", "2048"}, {"0", "1", "0"},
	} {
		amount, err := Parse(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		divisor, err := Parse(c.divisor)
		if err != nil {
			t.Fatal(err)
		}
		if got := Ceil(amount, divisor); got != c.want {
			t.Errorf("%s by %s: got %s, want %s", c.amount, c.divisor, got, c.want)
		}
	}
}

func TestRefusesWhatIsNoQuantity(t *testing.T) {
	for _, wrong := range []string{"", "x", "1/3", "0x10", "1_000", "Mi", "1 Gi"} {
		if got, err := Parse(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, got)
		}
	}
}
