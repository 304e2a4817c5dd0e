package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL bounds an address; longer ones are refused unread.
const maxURL = 2048

// target is an address that passed every check that needs no name resolution.
type target struct {
	url      *url.URL
	origin   string // scheme://host[:port], the form that allowances are compared in
	host     string // name, or literal without brackets
	port     string
	loopback bool // one of the named development origins
}

// parseTarget reads raw once. Only what it returns is used afterwards, so that no second reader can see another host.
func (c *Client) parseTarget(raw string) (target, error) {
	scheme, rest, err := splitScheme(raw)
	if err != nil {
		return target{}, err
	}
	authority, _, _ := strings.Cut(rest, "/")
	authority, _, _ = strings.Cut(authority, "?")
	host, port, err := splitAuthority(authority)
	if err != nil {
		return target{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, errors.New("address is not a URL")
	}
	if u.Host != authority || u.User != nil || u.Opaque != "" {
		return target{}, errors.New("address has two readings")
	}
	t := target{url: u, origin: scheme + "://" + authority, host: host, port: port}
	if _, ok := c.loopback[t.origin]; ok {
		t.loopback = true
		if t.port == "" {
			t.port = defaultPort(scheme)
		}
		return t, nil
	}
	if scheme != "https" {
		return target{}, errors.New("scheme is not https")
	}
	if t.port == "" {
		t.port = "443"
	}
	if _, ok := c.ports[t.port]; !ok {
		return target{}, errors.New("port is not allowed")
	}
	return t, publicHost(host)
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// splitScheme accepts exactly "https://" and "http://" in lower case, and no byte that readers of URLs disagree about.
func splitScheme(raw string) (scheme, rest string, err error) {
	if len(raw) > maxURL {
		return "", "", errors.New("address is too long")
	}
	for i := range len(raw) {
		if b := raw[i]; b <= ' ' || b >= 0x7f || b == '\\' || b == '#' {
			return "", "", errors.New("address holds a byte that is not allowed")
		}
	}
	for _, s := range []string{"https", "http"} {
		if r, ok := strings.CutPrefix(raw, s+"://"); ok {
			return s, r, nil
		}
	}
	return "", "", errors.New("scheme is not https")
}

// splitAuthority takes a lower-case host and an optional plain port; user information and escapes have no place in it.
func splitAuthority(authority string) (host, port string, err error) {
	if strings.ContainsAny(authority, "@%") {
		return "", "", errors.New("address holds user information or an escaped host")
	}
	host = authority
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 0 {
			return "", "", errors.New("address literal is not closed")
		}
		host, port = authority[1:end], authority[end+1:]
		if port != "" && !strings.HasPrefix(port, ":") {
			return "", "", errors.New("port is malformed")
		}
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.String() != host {
			return "", "", errors.New("address literal is not in its plain form")
		}
	} else if i := strings.IndexByte(authority, ':'); i >= 0 {
		host, port = authority[:i], authority[i:]
	}
	if port != "" {
		port = port[1:]
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port {
			return "", "", errors.New("port is malformed")
		}
	}
	return host, port, nil
}

// publicHost refuses literals of special ranges, names that only a local network knows, and spellings of numbers.
func publicHost(host string) error {
	if strings.Contains(host, ":") {
		a, err := netip.ParseAddr(host)
		if err != nil || !public(a) {
			return errors.New("address is not public")
		}
		return nil
	}
	return publicName(host)
}

func publicName(host string) error {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if len(host) > 253 || len(labels) < 2 {
		return errors.New("host is not a full name")
	}
	for _, l := range labels {
		if !plainLabel(l) {
			return errors.New("host name is malformed")
		}
	}
	// A last label that is a number makes readers take the whole for an IPv4 address in one of its many spellings.
	if last[0] >= '0' && last[0] <= '9' {
		a, err := netip.ParseAddr(host)
		if err != nil || a.String() != host || !public(a) {
			return errors.New("address is not public")
		}
		return nil
	}
	switch last {
	case "localhost", "local", "localdomain", "internal", "intranet", "home", "lan", "corp", "onion", "invalid", "arpa":
		return fmt.Errorf("names under %s are not public", last)
	}
	return nil
}

func plainLabel(l string) bool {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		b := l[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

// loopbackOrigin checks one named development origin: scheme, loopback name or literal, optional port, nothing else.
func loopbackOrigin(origin string) error {
	_, rest, err := splitScheme(origin)
	if err != nil {
		return err
	}
	if strings.ContainsAny(rest, "/?") {
		return errors.New("origin has a path")
	}
	host, _, err := splitAuthority(rest)
	if err != nil {
		return err
	}
	if host == "localhost" {
		return nil
	}
	if a, err := netip.ParseAddr(host); err != nil || !a.IsLoopback() || a.Is4In6() || a.String() != host {
		return errors.New("origin is not on loopback")
	}
	return nil
}
