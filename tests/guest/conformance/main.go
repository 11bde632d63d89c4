// Command conformance is what the tests' images run: it says all that a process can see, and behaves as asked.
//
// It does what its arguments ask for, in their order; an argument that isn't one of `steps` is only an argument,
// seen in the report. It goes on for ever if it was asked to serve anything, and ends with 0 if not.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// shown are the paths that a report describes.
var shown []string

// steps are what arguments `--name=value` do. One that gives true makes the program stay.
var steps = map[string]func(value string) (stays bool){
	"paths":  func(value string) bool { shown = strings.Split(value, ","); return false },
	"print":  func(string) bool { fmt.Println(string(report(shown))); return false },
	"report": func(path string) bool { write(path, string(report(shown)), os.O_TRUNC); return false },
	"log":    func(line string) bool { fmt.Println(line); return false },
	"error":  func(line string) bool { fmt.Fprintln(os.Stderr, line); return false },
	"copy":   func(string) bool { _, _ = io.Copy(os.Stdout, os.Stdin); return false },
	"many":   func(count string) bool { many(number(count)); return false },
	"append": func(value string) bool {
		path, line, _ := strings.Cut(value, ":")
		write(path, line+"\n", os.O_APPEND)
		return false
	},
	"initdb":  func(folder string) bool { initdb(folder); return false },
	"message": func(text string) bool { write("/dev/termination-log", text, os.O_TRUNC); return false },
	"sleep":   func(value string) bool { time.Sleep(duration(value)); return false },
	"burn":    func(value string) bool { burn(duration(value)); return false },
	"await":   func(path string) bool { await(path); return false },
	"exists":  func(path string) bool { exitUnless(exists(path)); return false },
	"alloc":   func(mebibytes string) bool { allocate(number(mebibytes)); return false },
	"exit":    func(code string) bool { os.Exit(number(code)); return false },
	"kill":    func(signal string) bool { kill(syscall.Signal(number(signal))); return false },
	"once":    once,
	"trap":    trap,
	"ignore":  func(string) bool { signal.Ignore(syscall.SIGTERM); return true },
	"stay":    func(string) bool { return true },
	"serve":   func(port string) bool { serve(port); return true },
	"tls":     func(port string) bool { serveTLS(port); return true },
	"grpc":    func(port string) bool { serveHealth(port); return true },
	"tcp":     func(port string) bool { listener(port).open(); return true },
	"sctp":    func(port string) bool { serveSCTP(port); return true },
}

func main() {
	stays := false
	for _, argument := range os.Args[1:] {
		name, value, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		if step, known := steps[name]; known && strings.HasPrefix(argument, "--") {
			stays = step(value) || stays
		}
	}
	for stays {
		time.Sleep(time.Hour) // an empty select is a deadlock to Go, if nothing else goes on
	}
}

// trap says when SIGTERM arrived, and ends with 0 after `value`: "2s", or "2s:/path" to append the line there too.
func trap(value string) bool {
	delay, path, _ := strings.Cut(value, ":")
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGTERM)
	go func() {
		<-arrived
		fmt.Println("got TERM")
		if path != "" {
			write(path, "TERM\n", os.O_APPEND)
		}
		time.Sleep(duration(delay))
		fmt.Println("ends")
		if path != "" {
			write(path, "end\n", os.O_APPEND)
		}
		os.Exit(0)
	}()
	return true
}

// once ends with 1 the first time, and goes on when the file is there: "/path".
func once(path string) bool {
	if !exists(path) {
		write(path, "once\n", os.O_APPEND)
		os.Exit(1)
	}
	return false
}

func many(count int) {
	for line := range count {
		fmt.Println("line", line+1)
	}
}

func burn(span time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end); {
	}
}

var kept [][]byte

// allocate takes memory for good, page by page, so that it is really used.
func allocate(mebibytes int) {
	for range mebibytes {
		block := make([]byte, 1<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1
		}
		kept = append(kept, block)
	}
}

func await(path string) {
	for !exists(path) {
		time.Sleep(200 * time.Millisecond)
	}
}

func kill(number syscall.Signal) {
	signal.Reset(number)
	check(syscall.Kill(os.Getpid(), number))
	time.Sleep(time.Minute)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func exitUnless(fine bool) {
	if !fine {
		os.Exit(1)
	}
}

func write(path, text string, how int) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o644)
	check(err)
	_, err = file.WriteString(text)
	check(err)
	check(file.Close())
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func duration(text string) time.Duration {
	value, err := time.ParseDuration(text)
	check(err)
	return value
}

// check ends the program with 70 (EX_SOFTWARE), which no test asks for.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(70)
	}
}
