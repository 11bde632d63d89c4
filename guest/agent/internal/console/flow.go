package console

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// IgnoreFlowControl keeps a Ctrl+S of somebody at the console from stopping it: Linux begins each terminal with IXON (termios(3);
// linux/drivers/tty/tty_io.c, tty_std_termios). A terminal that is stopped goes on (n_tty.c, n_tty_set_termios).
func IgnoreFlowControl() error { return inUse.Load().ignoreFlowControl() }

func (t *terminal) ignoreFlowControl() error {
	file, err := os.OpenFile(t.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	settings, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	if err != nil {
		return fmt.Errorf("%s: reading its settings: %w", t.path, err)
	}
	settings.Iflag &^= unix.IXON
	if err := unix.IoctlSetTermios(int(file.Fd()), unix.TCSETS, settings); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}
