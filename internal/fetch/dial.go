package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sync/semaphore"
)

// maxAddresses bounds how many addresses of one name are looked at.
const maxAddresses = 32

type targetKey struct{}

// dialChecked resolves the host of the request's own target, refuses it if any of its addresses is special, and connects
// to one of the addresses that were checked: a name that answers differently a moment later gains nothing.
func (c *Client) dialChecked(ctx context.Context, network, address string) (net.Conn, error) {
	t, ok := ctx.Value(targetKey{}).(target)
	if !ok || net.JoinHostPort(t.host, t.port) != address {
		return nil, fault(ErrBlocked, errors.New("connection asked for another host than the request's"))
	}
	ctx, cancel := context.WithTimeout(ctx, c.connect)
	defer cancel()
	addrs, err := c.addresses(ctx, t)
	if err != nil {
		return nil, err
	}
	var last error
	for _, a := range addrs {
		conn, err := c.dial(ctx, network, net.JoinHostPort(a.String(), t.port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, fault(ErrConnect, last)
}

func (c *Client) addresses(ctx context.Context, t target) ([]netip.Addr, error) {
	if t.loopback && t.host == "localhost" { // RFC 6761, 6.3: no resolver is asked for it
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	if a, err := netip.ParseAddr(t.host); err == nil {
		if t.loopback != a.IsLoopback() || (!t.loopback && !public(a)) {
			return nil, fault(ErrBlocked, errors.New("address is not public"))
		}
		return []netip.Addr{a}, nil
	}
	addrs, err := c.resolver.LookupNetIP(ctx, "ip", t.host)
	if err != nil {
		return nil, fault(ErrConnect, err)
	}
	if len(addrs) == 0 || len(addrs) > maxAddresses {
		return nil, fault(ErrConnect, errors.New("name has no usable set of addresses"))
	}
	for _, a := range addrs {
		if !public(a) {
			return nil, fault(ErrBlocked, errors.New("name resolves to an address that is not public"))
		}
	}
	return addrs, nil
}

// hostLimits keeps one slow host from taking every slot.
type hostLimits struct {
	mu    sync.Mutex // guards hosts; never held while waiting
	hosts map[string]*hostLimit
}

type hostLimit struct {
	slots *semaphore.Weighted
	users int
}

// acquire waits for a slot of host and returns how to give it back.
func (h *hostLimits) acquire(ctx context.Context, host string) (release func(), err error) {
	h.mu.Lock()
	if h.hosts == nil {
		h.hosts = map[string]*hostLimit{}
	}
	l := h.hosts[host]
	if l == nil {
		l = &hostLimit{slots: semaphore.NewWeighted(maxPerHost)}
		h.hosts[host] = l
	}
	l.users++
	h.mu.Unlock()

	leave := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(h.hosts, host)
		}
	}
	if err := l.slots.Acquire(ctx, 1); err != nil {
		leave()
		return nil, err
	}
	return func() { l.slots.Release(1); leave() }, nil
}
