package main

import (
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"twinhull.dev/guest/agent/internal/rundir"
)

// proxy is an HTTP proxy for CONNECT, the only way from outside to the Pods' own addresses. By GET it gives the
// log of containerd or of the kubelet: /kubelet.log.
func proxy(port int) error {
	server := http.Server{
		Addr: ":" + strconv.Itoa(port), Handler: http.HandlerFunc(serve), ReadHeaderTimeout: 10 * time.Second,
	}
	return server.ListenAndServe()
}

func serve(writer http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodConnect {
		connect(writer, request)
		return
	}
	http.ServeFile(writer, request, path.Join(rundir.Root, path.Base(request.URL.Path)))
}

func connect(writer http.ResponseWriter, request *http.Request) {
	there, err := net.DialTimeout("tcp", request.Host, 10*time.Second)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(writer).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connected\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { pass(there, buffered) })
	both.Go(func() { pass(here, there) })
	both.Wait()
}

// pass copies one direction to its end, and says so on the other side.
func pass(to net.Conn, from io.Reader) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
