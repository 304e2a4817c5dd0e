package fetch

import "net/netip"

// special4 are the IPv4 ranges of the IANA special-purpose registry that are not for the public internet, with multicast
// and the reserved block.
var special4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// global6 is the only IPv6 block that is given out for the public internet. Whatever lies outside it (loopback,
// unspecified, mapped, compatible, NAT64, unique local, link-local, site-local, multicast) is refused by not being in it.
var global6 = netip.MustParsePrefix("2000::/3")

// special6 are the parts of global6 that are special: Teredo, ORCHID and benchmarking (2001::/23), documentation, 6to4.
var special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// public reports whether a is an address of the public internet in its own plain form.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
		return false
	}
	ranges := special4
	if a.Is6() {
		if !global6.Contains(a) {
			return false
		}
		ranges = special6
	}
	for _, p := range ranges {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
