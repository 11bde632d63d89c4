// Package supervise keeps the machine's few programs running, as PID 1.
package supervise

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/rundir"
)

// Child is a program to keep running.
type Child struct {
	Name        string
	Command     []string
	Arguments   string // a file with more arguments, a JSON list, or ""
	Environment []string
	OOMScore    int
	Log         string
	Shown       func(line string) bool // which lines are worth the console
}

// Supervisor starts children and reaps all processes, its own and orphans.
type Supervisor struct {
	lock     sync.Mutex
	exits    map[int]chan syscall.WaitStatus
	running  map[string]int  // children's pids
	restarts map[string]bool // children that were ended to be started again
	stopping bool
	kept     sync.WaitGroup
}

// New starts reaping. From here on nothing else in this process may wait for a child.
func New() *Supervisor {
	s := &Supervisor{exits: map[int]chan syscall.WaitStatus{}, running: map[string]int{}, restarts: map[string]bool{}}
	ended := make(chan os.Signal, 16)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for {
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
			}
			s.reap()
		}
	}()
	return s
}

// Always is for children that start at once.
func Always() bool { return true }

// WhenExists is for children that start when a file is there.
func WhenExists(path string) func() bool {
	return func() bool { return rundir.Exists(path) }
}

// Keep runs a child for as long as the machine runs, once `may` says that it may start.
func (s *Supervisor) Keep(child Child, may func() bool) {
	s.kept.Add(1)
	go func() {
		defer s.kept.Done()
		for !may() {
			if s.isStopping() {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		var failures backoff
		log := openLog(child)
		for !s.isStopping() {
			started := time.Now()
			how := s.run(child, log)
			if s.isStopping() {
				return
			}
			if s.wasRestarted(child.Name) {
				continue
			}
			pause := failures.next(time.Since(started))
			console.Print("%s ended (%s); starting it again in %s; its last lines:", child.Name, how, pause)
			for _, line := range log.last() {
				console.Line(child.Name + ": " + line)
			}
			time.Sleep(pause)
		}
	}()
}

// run starts a child and waits for its end, which it describes.
func (s *Supervisor) run(child Child, log *childLog) string {
	arguments, err := child.arguments()
	if err != nil {
		return err.Error()
	}
	program, err := exec.LookPath(child.Command[0])
	if err != nil {
		return err.Error()
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err.Error()
	}
	ended, err := s.start(child, program, arguments, writer)
	writer.Close()
	if err != nil {
		reader.Close()
		return err.Error()
	}
	// Its descendants may keep the pipe (containerd's shims do), so the child's end isn't the log's.
	go log.copy(reader)
	status := <-ended
	time.Sleep(100 * time.Millisecond) // for its last words
	if status.Signaled() {
		return "signal " + status.Signal().String()
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}

func (s *Supervisor) start(child Child, program string, arguments []string, out *os.File) (<-chan syscall.WaitStatus, error) {
	// The lock keeps the reaper from meeting a child that isn't known yet.
	s.lock.Lock()
	defer s.lock.Unlock()
	process, err := os.StartProcess(program, arguments, &os.ProcAttr{
		Dir: "/", Env: append(os.Environ(), child.Environment...), Files: []*os.File{nil, out, out},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, err
	}
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", process.Pid), fmt.Appendf(nil, "%d", child.OOMScore), 0)
	ended := make(chan syscall.WaitStatus, 1)
	s.exits[process.Pid] = ended
	s.running[child.Name] = process.Pid
	return ended, process.Release()
}

func (s *Supervisor) reap() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, ours := s.exits[pid]; ours {
			delete(s.exits, pid)
			ended <- status
		}
	}
}

// Restart ends a child that runs, which is started again at once.
func (s *Supervisor) Restart(name string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	pid := s.running[name]
	if _, runs := s.exits[pid]; runs {
		s.restarts[name] = true
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
}

func (s *Supervisor) wasRestarted(name string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	was := s.restarts[name]
	delete(s.restarts, name)
	return was
}

// StopAll asks all children to end, and makes them after `patience`.
func (s *Supervisor) StopAll(patience time.Duration) {
	s.lock.Lock()
	s.stopping = true
	s.lock.Unlock()
	s.signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { s.kept.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		s.signal(syscall.SIGKILL)
	}
}

func (s *Supervisor) signal(which syscall.Signal) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for pid := range s.exits {
		_ = syscall.Kill(pid, which)
	}
}

func (s *Supervisor) isStopping() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.stopping
}

func (c Child) arguments() ([]string, error) {
	arguments := c.Command
	if c.Arguments == "" {
		return arguments, nil
	}
	data, err := os.ReadFile(c.Arguments)
	if err != nil {
		return nil, err
	}
	var more []string
	if err := json.Unmarshal(data, &more); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Arguments, err)
	}
	return append(append([]string{}, arguments...), more...), nil
}
