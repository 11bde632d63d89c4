package boot

import (
	"encoding/binary"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// eventSize is a struct input_event of a 64-bit machine: two 64-bit times, type, code, value
// (linux/uapi/linux/input.h).
const (
	eventSize = 24
	keyEvent  = 1   // EV_KEY
	keyPower  = 116 // KEY_POWER (linux/uapi/linux/input-event-codes.h)
	sigpwr    = syscall.Signal(30)
)

// powerButtons sends a text whenever somebody wants the machine to be shut down: by the ACPI power button, or
// by a signal to PID 1. Nobody else has a keyboard here, so every input device is listened to.
func powerButtons() <-chan string {
	pressed := make(chan string, 1)
	press := func(how string) {
		select {
		case pressed <- how:
		default:
		}
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, sigpwr)
	go func() {
		for received := range signals {
			press("signal " + received.String())
		}
	}()
	go func() {
		heard := map[string]bool{}
		for ; ; time.Sleep(5 * time.Second) {
			devices, _ := filepath.Glob("/dev/input/event*")
			for _, device := range devices {
				if !heard[device] {
					heard[device] = true
					go listen(device, press)
				}
			}
		}
	}()
	return pressed
}

func listen(device string, press func(string)) {
	file, err := os.Open(device)
	if err != nil {
		return
	}
	defer file.Close()
	buffer := make([]byte, eventSize*16)
	for {
		length, err := file.Read(buffer)
		if err != nil {
			return
		}
		if powerPressed(buffer[:length]) {
			press("the power button")
		}
	}
}

// powerPressed tells whether there is a press of the power key among input events.
func powerPressed(events []byte) bool {
	for ; len(events) >= eventSize; events = events[eventSize:] {
		kind := binary.LittleEndian.Uint16(events[16:])
		code := binary.LittleEndian.Uint16(events[18:])
		value := binary.LittleEndian.Uint32(events[20:])
		if kind == keyEvent && code == keyPower && value == 1 {
			return true
		}
	}
	return false
}
