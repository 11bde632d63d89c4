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

// mark is in the disk's last block while a file system is being made, and in some before it (innerMarks). In a block that a file
// system reaches into, the same bytes are a file's.
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

// wasBegun tells whether a machine began to make a file system on a disk, and didn't finish it: the disk has a mark that no file
// system reaches. One that was made elsewhere may fill the disk, and have a file with these bytes there. One that was ever mounted
// was finished, whatever is behind its end. The claim may have grown since: then the mark is behind the file system's end, or, if
// there is no superblock yet, at one of the places that don't depend on the disk's size.
func wasBegun(disk io.ReaderAt, size int64) (bool, error) {
	if size < smallest {
		return false, nil
	}
	found, err := readSuperblock(disk)
	if err != nil {
		return false, err
	}
	if !isExt(found) {
		return hasMark(disk, append(innerMarks(size), markAt(size))...)
	}
	if wasMounted(found) {
		return false, nil
	}
	for _, place := range []int64{markAt(size), formerMark(found, size)} {
		marked, err := hasMark(disk, place)
		if err != nil {
			return false, err
		}
		if marked && !reaches(found, place) {
			return true, nil
		}
	}
	return false, nil
}

// hasMark tells whether a mark is at one of those places, in bytes.
func hasMark(disk io.ReaderAt, places ...int64) (bool, error) {
	found := make([]byte, len(mark))
	for _, place := range places {
		if _, err := disk.ReadAt(found, place); err != nil {
			return false, err
		}
		if bytes.Equal(found, mark) {
			return true, nil
		}
	}
	return false, nil
}

// setInnerMarks writes the marks that are found on a disk of any size. It returns once they are on the disk.
func setInnerMarks(device string, size int64) error {
	return eachInnerMark(device, size, func(file *os.File, place int64) error {
		return writeMark(file, place, mark)
	})
}

// removeInnerMarks writes zeroes over those that are still there: the file system that was made has some of these blocks.
func removeInnerMarks(device string, size int64) error {
	return eachInnerMark(device, size, func(file *os.File, place int64) error {
		if marked, err := hasMark(file, place); err != nil || !marked {
			return err
		}
		return writeMark(file, place, nil)
	})
}

func eachInnerMark(device string, size int64, write func(file *os.File, place int64) error) error {
	file, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, place := range innerMarks(size) {
		if err := write(file, place); err != nil {
			return err
		}
	}
	return file.Sync()
}

// innerMarks are the places of marks that a disk has before its end, in bytes: the last block of its first 16 MiB, 32 MiB and so on.
// A program that makes a file system writes to few of them.
func innerMarks(size int64) []int64 {
	var places []int64
	for part := int64(smallest); part > 0 && part-blockSize < markAt(size); part *= 2 {
		places = append(places, part-blockSize)
	}
	return places
}

// formerMark is where the mark was when the disk had the size for which a file system was made; where it is now, if that can't be told.
func formerMark(superblock []byte, size int64) int64 {
	blocks, block := extentIn(superblock)
	if block != blockSize || blocks > uint64(size/blockSize) {
		return markAt(size)
	}
	return min(int64(blocks)*blockSize+reserve-blockSize, markAt(size))
}

// setMark writes the disk's last block: a mark, or nothing but zeroes. It returns once that is on the disk.
func setMark(device string, size int64, mark []byte) error {
	file, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := writeMark(file, markAt(size), mark); err != nil {
		return err
	}
	return file.Sync()
}

// writeMark writes a block: a mark, or nothing but zeroes.
func writeMark(file *os.File, place int64, mark []byte) error {
	block := make([]byte, blockSize)
	copy(block, mark)
	_, err := file.WriteAt(block, place)
	return err
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
