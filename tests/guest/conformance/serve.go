package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	unhealthy atomic.Bool // what /health and gRPC's health service say
	slow      atomic.Int64
	probed    sync.Map // path → headers of the last request
)

// serve answers on all addresses:
//
//	/            the report; ?paths=/a,/b describes these
//	/health      200 or 503, as /set?health=good or bad has it; /slow?by=5s delays it
//	/seen?path=  the Host and headers of the last request for that path
//	/file?path=  a file's content; /write?path=&text=, /remove?path=
//	/insert?path=&row=  adds a row to a file, and syncs it; /space?path=  how large its file system is
//	/signal?process=&number=  to all whose command line begins so
//	/exit?code=, /alloc?mib=, /log?line=, /error?line=, /listen?port=, /deafen?port=, /dial?address=, /lookup?name=
func serve(port string) {
	server := http.Server{Addr: ":" + port, Handler: handler()}
	go func() { check(server.ListenAndServe()) }()
}

func serveTLS(port string) {
	server := http.Server{Addr: ":" + port, Handler: handler(), TLSConfig: &tls.Config{Certificates: certificate()}}
	go func() { check(server.ListenAndServeTLS("", "")) }()
}

func handler() http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]func(ask func(string) string) string{
		"/set":  func(ask func(string) string) string { unhealthy.Store(ask("health") == "bad"); return "set" },
		"/slow": func(ask func(string) string) string { slow.Store(int64(duration(ask("by")))); return "set" },
		"/file": func(ask func(string) string) string { return read(ask("path")) },
		"/write": func(ask func(string) string) string {
			return attempt(os.WriteFile(ask("path"), []byte(ask("text")), 0o644))
		},
		"/remove": func(ask func(string) string) string { return attempt(os.Remove(ask("path"))) },
		"/insert": func(ask func(string) string) string { return attempt(insertRow(ask("path"), ask("row"))) },
		"/space":  func(ask func(string) string) string { return space(ask("path")) },
		"/chown":  func(ask func(string) string) string { return attempt(os.Chown(ask("path"), 4242, 4242)) },
		"/alloc":  func(ask func(string) string) string { go allocate(number(ask("mib"))); return "asked" },
		"/log":    func(ask func(string) string) string { fmt.Println(ask("line")); return "said" },
		"/error":  func(ask func(string) string) string { fmt.Fprintln(os.Stderr, ask("line")); return "said" },
		"/listen": func(ask func(string) string) string { listener(ask("port")).open(); return "listens" },
		"/deafen": func(ask func(string) string) string { listener(ask("port")).close(); return "deaf" },
		"/dial":   func(ask func(string) string) string { return dial(ask("address")) },
		"/lookup": func(ask func(string) string) string { return lookup(ask("name")) },
		"/signal": func(ask func(string) string) string { return send(ask("process"), number(ask("number"))) },
		"/exit":   func(ask func(string) string) string { go exit(number(ask("code"))); return "ends" },
	} {
		mux.HandleFunc(path, func(writer http.ResponseWriter, request *http.Request) {
			fmt.Fprint(writer, answer(request.URL.Query().Get))
		})
	}
	mux.HandleFunc("/seen", func(writer http.ResponseWriter, request *http.Request) {
		headers, _ := probed.Load(request.URL.Query().Get("path"))
		check(json.NewEncoder(writer).Encode(headers))
	})
	mux.HandleFunc("/health", health)
	mux.HandleFunc("/{$}", func(writer http.ResponseWriter, request *http.Request) {
		paths := strings.FieldsFunc(request.URL.Query().Get("paths"), func(r rune) bool { return r == ',' })
		_, _ = writer.Write(report(append(paths, shown...)))
	})
	return mux
}

func health(writer http.ResponseWriter, request *http.Request) {
	headers := request.Header.Clone()
	headers.Set("Host", request.Host)
	probed.Store(request.URL.RequestURI(), headers)
	time.Sleep(time.Duration(slow.Load()))
	if unhealthy.Load() {
		writer.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintf(writer, "unhealthy: %t", unhealthy.Load())
}

func exit(code int) {
	time.Sleep(100 * time.Millisecond) // for the answer
	os.Exit(code)
}

// send sends a signal to all processes whose command line begins so, and says how many these are.
func send(process string, number int) string {
	count := 0
	each(func(pid int, line string) {
		if strings.HasPrefix(line, process) && syscall.Kill(pid, syscall.Signal(number)) == nil {
			count++
		}
	})
	return strconv.Itoa(count)
}

func attempt(err error) string {
	if err != nil {
		return reason(err)
	}
	return "done"
}

func read(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return attempt(err)
	}
	return string(content)
}

func dial(address string) string {
	connection, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err.Error()
	}
	return attempt(connection.Close())
}

func lookup(name string) string {
	addresses, err := net.LookupHost(name)
	if err != nil {
		return err.Error()
	}
	return strings.Join(addresses, " ")
}

// certificate is one that nobody signed.
func certificate() []tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	signed, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	check(err)
	return []tls.Certificate{{Certificate: [][]byte{signed}, PrivateKey: key}}
}
