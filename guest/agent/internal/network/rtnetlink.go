package network

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// message is a request of rtnetlink(7): a fixed header, then attributes.
type message struct {
	kind, flags uint16
	body        []byte
}

// attribute appends an rtattr, padded to four bytes.
func (m *message) attribute(kind uint16, value []byte) {
	m.body = binary.NativeEndian.AppendUint16(m.body, uint16(4+len(value)))
	m.body = binary.NativeEndian.AppendUint16(m.body, kind)
	m.body = append(m.body, value...)
	for len(m.body)%4 != 0 {
		m.body = append(m.body, 0)
	}
}

// bytes is the message with its nlmsghdr.
func (m *message) bytes() []byte {
	out := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(m.body)))
	out = binary.NativeEndian.AppendUint16(out, m.kind)
	out = binary.NativeEndian.AppendUint16(out, m.flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	out = append(out, make([]byte, 8)...) // sequence and port: there is one request at a time
	return append(out, m.body...)
}

// addressMessage sets an interface's address (struct ifaddrmsg).
func addressMessage(index int, address netip.Prefix) message {
	m := message{kind: unix.RTM_NEWADDR, flags: unix.NLM_F_CREATE | unix.NLM_F_REPLACE}
	m.body = append(m.body, unix.AF_INET, byte(address.Bits()), 0, unix.RT_SCOPE_UNIVERSE)
	m.body = binary.NativeEndian.AppendUint32(m.body, uint32(index))
	m.attribute(unix.IFA_LOCAL, address.Addr().AsSlice())
	m.attribute(unix.IFA_ADDRESS, address.Addr().AsSlice())
	return m
}

// routeMessage sets a route (struct rtmsg). A gateway outside of the interface's network is taken to be on the
// link, as a cloud's or KubeVirt's bridge may have it.
func routeMessage(index int, route Route) message {
	scope, flags := byte(unix.RT_SCOPE_LINK), uint32(0)
	if route.Gateway.IsValid() {
		scope, flags = unix.RT_SCOPE_UNIVERSE, unix.RTNH_F_ONLINK
	}
	m := message{kind: unix.RTM_NEWROUTE, flags: unix.NLM_F_CREATE | unix.NLM_F_REPLACE}
	m.body = append(m.body, unix.AF_INET, byte(route.To.Bits()), 0, 0,
		unix.RT_TABLE_MAIN, unix.RTPROT_DHCP, scope, unix.RTN_UNICAST)
	m.body = binary.NativeEndian.AppendUint32(m.body, flags)
	if route.To.Bits() > 0 {
		m.attribute(unix.RTA_DST, route.To.Masked().Addr().AsSlice())
	}
	if route.Gateway.IsValid() {
		m.attribute(unix.RTA_GATEWAY, route.Gateway.AsSlice())
	}
	m.attribute(unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	return m
}

func setAddress(link string, address netip.Prefix) error {
	card, err := net.InterfaceByName(link)
	if err != nil {
		return err
	}
	return send(addressMessage(card.Index, address))
}

func setRoute(link string, route Route) error {
	card, err := net.InterfaceByName(link)
	if err != nil {
		return err
	}
	return send(routeMessage(card.Index, route))
}

// send makes a request of the kernel and waits for its answer.
func send(m message) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	if err := unix.Sendto(socket, m.bytes(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	length, _, err := unix.Recvfrom(socket, answer, 0)
	if err != nil {
		return err
	}
	if length < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("an answer of rtnetlink that can't be read")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// LoopbackUp brings lo up.
func LoopbackUp() error { return setLink("lo", 0) }

// setLink brings an interface up, with an MTU if that isn't 0 (netdevice(7)).
func setLink(link string, mtu int) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	if mtu > 0 {
		request, err := unix.NewIfreq(link)
		if err != nil {
			return err
		}
		request.SetUint32(uint32(mtu))
		if err := unix.IoctlIfreq(socket, unix.SIOCSIFMTU, request); err != nil {
			return fmt.Errorf("MTU %d: %w", mtu, err)
		}
	}
	request, err := unix.NewIfreq(link)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
