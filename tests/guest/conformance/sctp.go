package main

import "syscall"

// serveSCTP takes each association of a port, says one line there and ends it. Go's net package has no SCTP; the
// kernel loads what it needs for it when a socket is made.
func serveSCTP(port string) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, syscall.IPPROTO_SCTP)
	check(err)
	check(syscall.Bind(socket, &syscall.SockaddrInet4{Port: number(port)}))
	check(syscall.Listen(socket, syscall.SOMAXCONN))
	go func() {
		for {
			association, _, err := syscall.Accept(socket)
			check(err)
			_, _ = syscall.Write(association, []byte("served by SCTP"))
			_ = syscall.Close(association)
		}
	}()
}
