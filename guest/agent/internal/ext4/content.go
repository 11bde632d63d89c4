package ext4

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// content is what is on a disk.
type content int

const (
	blank      content = iota // nothing but zeroes, as far as it was looked at
	unfinished                // a file system that a machine began to make
	fileSystem                // an ext2, ext3 or ext4
)

const (
	// head and tail are how much of a disk's begin and end is looked at, in bytes. All that libblkid knows is in the first 9 MiB,
	// or in the last one (util-linux, libblkid/src: zfs.c, drbd.c, linux_raid.c).
	head, tail = 16 << 20, 1 << 20
	// samples is at how many places in between it is looked at, and sample how much there, in bytes.
	samples, sample = 256, 64 << 10
	// reserve is the disk's end, in bytes, which no file system made here reaches into: the mark is there.
	reserve = 1 << 20
	// nothingFound is blkid's exit code for a disk of which it knows nothing (blkid(8)).
	nothingFound = 2
)

// mark is in the disk's last block while a file system is being made. In a block that a file system reaches into, the same bytes are
// a file's.
var mark = []byte("twinhull: a file system is being made on this disk\n")

// inspect tells what is on a disk. Whatever it doesn't know is an error.
func inspect(device string) (content, error) {
	size, err := sizeOf(device)
	if err != nil {
		return 0, err
	}
	file, err := os.Open(device)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	begun, err := wasBegun(file, size)
	if err != nil {
		return 0, err
	}
	found, err := exec.Command("/usr/sbin/blkid", "-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device).Output()
	var exit *exec.ExitError
	switch {
	case err == nil:
		what, err := known(found)
		if what == fileSystem && begun {
			what = unfinished
		}
		return what, err
	case !errors.As(err, &exit):
		return 0, err
	case exit.ExitCode() != nothingFound:
		return 0, Refused{fmt.Sprintf("blkid can't tell what is on it (exit code %d): it is left alone; %s", exit.ExitCode(), advice)}
	}
	if begun {
		return unfinished, nil
	}
	at, err := firstByte(file, size)
	if err != nil {
		return 0, err
	}
	if at >= 0 {
		return 0, Refused{fmt.Sprintf("it is no file system that this guest knows, and isn't blank (byte %d): it is left alone; %s", at, advice)}
	}
	return blank, nil
}

const advice = "use a claim that is blank or has an ext4, or write zeroes over this one"

// known is what blkid's answer means.
func known(answer []byte) (content, error) {
	found := map[string]string{}
	for line := range strings.Lines(string(answer)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[key] = value
	}
	kind, table := found["TYPE"], found["PTTYPE"]
	switch {
	case table != "":
		return 0, Refused{fmt.Sprintf("it has a partition table (%s): it is left alone; %s", table, advice)}
	case kind == "ext2" || kind == "ext3" || kind == "ext4":
		return fileSystem, nil
	}
	return 0, Refused{fmt.Sprintf("it holds %s: it is left alone; %s", kind, advice)}
}

// firstByte gives where the first byte was found that isn't zero, -1 if none was: at the disk's begin and end, and at places
// that are spread over the rest.
func firstByte(disk io.ReaderAt, size int64) (int64, error) {
	places := [][2]int64{{0, min(head, size)}, {max(size-tail, 0), size}}
	for number := range int64(samples) {
		at := size / samples * number / sample * sample
		places = append(places, [2]int64{at, min(at+sample, size)})
	}
	buffer := make([]byte, 1<<20)
	zeroes := make([]byte, len(buffer))
	for _, place := range places {
		for at := place[0]; at < place[1]; {
			part := buffer[:min(int64(len(buffer)), place[1]-at)]
			if _, err := disk.ReadAt(part, at); err != nil {
				return 0, err
			}
			if !bytes.Equal(part, zeroes[:len(part)]) {
				return at + int64(slices.IndexFunc(part, func(b byte) bool { return b != 0 })), nil
			}
			at += int64(len(part))
		}
	}
	return -1, nil
}

// wasBegun tells whether a machine began to make a file system on a disk, and didn't finish it: the disk has the mark, and no file
// system reaches into the mark's block. One that was made elsewhere may fill the disk, and have a file with these bytes there.
func wasBegun(disk io.ReaderAt, size int64) (bool, error) {
	marked, err := hasMark(disk, size)
	if err != nil || !marked {
		return false, err
	}
	reached, err := reaches(disk, markAt(size))
	return !reached, err
}

func hasMark(disk io.ReaderAt, size int64) (bool, error) {
	if size < smallest {
		return false, nil
	}
	found := make([]byte, len(mark))
	_, err := disk.ReadAt(found, markAt(size))
	return bytes.Equal(found, mark), err
}

// setMark writes the disk's last block: a mark, or nothing but zeroes. It returns once that is on the disk.
func setMark(device string, size int64, mark []byte) error {
	file, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, blockSize)
	copy(block, mark)
	if _, err := file.WriteAt(block, markAt(size)); err != nil {
		return err
	}
	return file.Sync()
}

func markAt(size int64) int64 { return size/blockSize*blockSize - blockSize }

// sizeOf is how large a device, or a file, is in bytes.
func sizeOf(device string) (int64, error) {
	file, err := os.Open(device)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.Seek(0, unix.SEEK_END)
}
