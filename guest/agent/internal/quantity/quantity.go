// Package quantity reads amounts of resources (apimachinery/pkg/api/resource/quantity.go).
package quantity

import (
	"fmt"
	"math/big"
	"strings"
)

var suffixes = []struct {
	suffix string
	factor *big.Rat
}{
	{"Ki", power(2, 10)}, {"Mi", power(2, 20)}, {"Gi", power(2, 30)}, {"Ti", power(2, 40)}, {"Pi", power(2, 50)}, {"Ei", power(2, 60)},
	{"n", power(10, -9)}, {"u", power(10, -6)}, {"m", power(10, -3)},
	{"k", power(10, 3)}, {"M", power(10, 6)}, {"G", power(10, 9)}, {"T", power(10, 12)}, {"P", power(10, 15)}, {"E", power(10, 18)},
	{"", power(10, 0)},
}

func power(base, exponent int64) *big.Rat {
	absolute := new(big.Int).Exp(big.NewInt(base), big.NewInt(max(exponent, -exponent)), nil)
	if exponent < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), absolute)
	}
	return new(big.Rat).SetInt(absolute)
}

// Parse reads an amount: "100m", "1.5Gi", "12e6".
func Parse(text string) (*big.Rat, error) {
	for _, known := range suffixes {
		digits, found := strings.CutSuffix(text, known.suffix)
		if !found {
			continue
		}
		// big.Rat reads more than a quantity may be: 1/3, 0x10, 1_000.
		if number, ok := new(big.Rat).SetString(digits); ok && strings.Trim(digits, "0123456789.eE+-") == "" {
			return number.Mul(number, known.factor), nil
		}
	}
	return nil, fmt.Errorf("%q is no quantity", text)
}

// Ceil is the smallest whole number that is not below `amount`/`divisor`.
func Ceil(amount, divisor *big.Rat) string {
	ratio := new(big.Rat).Quo(amount, divisor)
	whole, rest := new(big.Int).DivMod(ratio.Num(), ratio.Denom(), new(big.Int))
	if rest.Sign() != 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole.String()
}
