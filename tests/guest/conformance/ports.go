package main

import (
	"net"
	"net/http"
	"sync"
)

// port is one that can be listened on and closed again.
type port struct {
	number string
	lock   sync.Mutex
	opened net.Listener
}

var ports sync.Map

func listener(number string) *port {
	found, _ := ports.LoadOrStore(number, &port{number: number})
	return found.(*port)
}

func (port *port) open() {
	port.lock.Lock()
	defer port.lock.Unlock()
	if port.opened != nil {
		return
	}
	listener, err := net.Listen("tcp", ":"+port.number)
	check(err)
	port.opened = listener
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = connection.Close()
		}
	}()
}

func (port *port) close() {
	port.lock.Lock()
	defer port.lock.Unlock()
	if port.opened != nil {
		_ = port.opened.Close()
		port.opened = nil
	}
}

// serveHealth is gRPC's health service (grpc.health.v1.Health/Check), in the few bytes that it consists of:
// a message is a flag, a length and HealthCheckResponse{status: SERVING (1) or NOT_SERVING (2)}.
func serveHealth(number string) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true)
	server := http.Server{Addr: ":" + number, Protocols: protocols, Handler: http.HandlerFunc(checkHealth)}
	go func() { check(server.ListenAndServe()) }()
}

func checkHealth(writer http.ResponseWriter, request *http.Request) {
	headers := writer.Header()
	headers.Set("Content-Type", "application/grpc")
	headers.Set("Trailer", "Grpc-Status, Grpc-Message")
	if request.URL.Path != "/grpc.health.v1.Health/Check" {
		headers.Set("Grpc-Status", "12") // UNIMPLEMENTED
		return
	}
	status := byte(1)
	if unhealthy.Load() {
		status = 2
	}
	_, _ = writer.Write([]byte{0, 0, 0, 0, 2, 0x08, status})
	headers.Set("Grpc-Status", "0")
}
