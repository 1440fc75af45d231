package hierarchy

import (
	"fmt"
	"strings"
)

// TierID numbers the memory tiers; the number is the top bits of an address.
type TierID int

// The tiers, nearest first.
const (
	HBM TierID = iota
	DDR
	CXLMem
	PeerHBM
	NumTiers
)

var tierNames = [NumTiers]string{"hbm", "ddr", "cxl", "peer"}

func (t TierID) String() string { return tierNames[t] }

// ParseTier returns the tier of that name.
func ParseTier(name string) (TierID, error) {
	for i, n := range tierNames {
		if n == name {
			return TierID(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no tier (%s)", name, strings.Join(tierNames[:], ", "))
}

// UnmarshalText lets a configuration name a tier.
func (t *TierID) UnmarshalText(text []byte) error {
	id, err := ParseTier(string(text))
	*t = id
	return err
}

// MarshalText is the reverse of UnmarshalText.
func (t TierID) MarshalText() ([]byte, error) { return []byte(tierNames[t]), nil }
