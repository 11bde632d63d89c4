package network

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/rundir"
)

// KeepAddress gets a lease, applies it, and keeps it for as long as the machine runs.
func KeepAddress() {
	var last string
	for {
		err := keep()
		if err != nil && err.Error() != last {
			last = err.Error()
			console.Print("network: %s; trying again", last)
		}
		time.Sleep(2 * time.Second)
	}
}

func keep() error {
	link, err := ethernet("/sys/class/net")
	if err != nil {
		return err
	}
	if err := setLink(link, 0); err != nil {
		return fmt.Errorf("%s: %w", link, err)
	}
	lease, err := ask(link, func(client *nclient4.Client) (*nclient4.Lease, error) {
		return client.Request(context.Background(), dhcpv4.WithRequestedOptions(wanted...))
	})
	if err != nil {
		return fmt.Errorf("%s: no DHCP lease: %w", link, err)
	}
	var applied Lease
	for {
		given, err := read(link, lease.ACK)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(given, applied) {
			if err := apply(given); err != nil {
				return err
			}
			applied = given
		}
		if lease, err = renewed(link, lease); err != nil {
			return fmt.Errorf("%s: the DHCP lease has run out: %w", link, err)
		}
	}
}

// ask talks to a DHCP server. The client's raw socket gets all that comes to the interface, so it is closed
// again at once.
func ask(link string, what func(*nclient4.Client) (*nclient4.Lease, error)) (*nclient4.Lease, error) {
	client, err := nclient4.New(link, nclient4.WithTimeout(3*time.Second), nclient4.WithRetry(3))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return what(client)
}

// renewed waits for half of a lease's time, and then renews it until its end (RFC 2131, section 4.4.5).
func renewed(link string, lease *nclient4.Lease) (*nclient4.Lease, error) {
	length := lease.ACK.IPAddressLeaseTime(time.Hour)
	ends := time.Now().Add(length)
	pause := lease.ACK.IPAddressRenewalTime(length / 2)
	for {
		time.Sleep(min(pause, time.Until(ends)))
		next, err := ask(link, func(client *nclient4.Client) (*nclient4.Lease, error) {
			return client.Renew(context.Background(), lease, dhcpv4.WithRequestedOptions(wanted...))
		})
		if err == nil {
			return next, nil
		}
		if time.Now().After(ends) {
			return nil, err
		}
		pause = max(time.Until(ends)/2, 10*time.Second)
	}
}

// apply sets address, routes and MTU, and writes down what others need to know.
func apply(lease Lease) error {
	if err := setLink(lease.Interface, lease.MTU); err != nil {
		return fmt.Errorf("%s: %w", lease.Interface, err)
	}
	if err := setAddress(lease.Interface, lease.Address); err != nil {
		return fmt.Errorf("%s: address %s: %w", lease.Interface, lease.Address, err)
	}
	for _, route := range lease.Routes {
		if err := setRoute(lease.Interface, route); err != nil {
			console.Print("%s: route to %s by %s: %v", lease.Interface, route.To, route.Gateway, err)
		}
	}
	conf := []byte(ResolvConf(lease))
	for _, path := range []string{rundir.Resolv, "/etc/resolv.conf"} {
		if err := rundir.Write(path, conf, 0o644); err != nil {
			return err
		}
	}
	console.Print("network: %s on %s", lease.Address, lease.Interface)
	return rundir.WriteJSON(rundir.Network, lease, 0o644)
}

// ethernet names the machine's network card: the first of type ARPHRD_ETHER that is a device.
func ethernet(sys string) (string, error) {
	found, _ := filepath.Glob(filepath.Join(sys, "*", "device"))
	sort.Strings(found)
	for _, device := range found {
		folder := filepath.Dir(device)
		if kind, err := os.ReadFile(folder + "/type"); err == nil && strings.TrimSpace(string(kind)) == "1" {
			return filepath.Base(folder), nil
		}
	}
	return "", fmt.Errorf("there is no network card (is virtio_net loaded?)")
}
