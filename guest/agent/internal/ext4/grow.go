package ext4

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// resizeFS is EXT4_IOC_RESIZE_FS (linux/uapi/linux/ext4.h): it takes the new size in blocks.
	resizeFS = 0x40086610
	// superblock is where the first superblock is, in bytes, and the others are offsets in it (linux/fs/ext4/ext4.h).
	superblock                              = 1024
	magic, mountedAt                        = 0x38, 0x2c
	blocksLow, logBlockSize, blocksHigh     = 0x04, 0x18, 0x150
	incompatible, incompatible64Bit, needed = 0x60, 0x80, 0x154
	// extMagic is what stands at magic in an ext2, ext3 or ext4 (linux/uapi/linux/magic.h, EXT4_SUPER_MAGIC).
	extMagic = 0xEF53
)

// Grow makes a mounted file system as large as its disk, less what is reserved. It does nothing if that is less than a thousandth
// more: then the kernel wouldn't find room for a whole group of blocks either.
func Grow(device, folder string) error {
	size, err := sizeOf(device)
	if err != nil {
		return err
	}
	present, block, err := extent(device)
	if err != nil {
		return err
	}
	wanted := uint64(size-reserve) / block
	if size <= reserve || wanted <= present+present/1000 {
		return nil
	}
	mounted, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer mounted.Close()
	_, _, failed := unix.Syscall(unix.SYS_IOCTL, mounted.Fd(), resizeFS, uintptr(unsafe.Pointer(&wanted)))
	if failed != 0 {
		return fmt.Errorf("growing its file system from %d to %d blocks: %w", present, wanted, failed)
	}
	return nil
}

// extent is how many blocks a device's file system has, and how large they are, in bytes.
func extent(device string) (blocks, size uint64, err error) {
	file, err := os.Open(device)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	found, err := readSuperblock(file)
	if err != nil {
		return 0, 0, err
	}
	blocks, size = extentIn(found)
	return blocks, size, nil
}

// isExt tells whether a superblock is that of an ext file system, damaged or not.
func isExt(superblock []byte) bool {
	return binary.LittleEndian.Uint16(superblock[magic:]) == extMagic
}

// wasMounted tells whether an ext file system was ever mounted.
func wasMounted(superblock []byte) bool {
	return binary.LittleEndian.Uint32(superblock[mountedAt:]) != 0
}

// reaches tells whether an ext file system has a block that ends beyond a place, in bytes.
func reaches(superblock []byte, place int64) bool {
	blocks, size := extentIn(superblock)
	// A size of 2^64 bytes or more comes out as 0. It is wrong, and how far that file system reaches isn't known.
	return size == 0 || blocks > uint64(place)/size
}

func readSuperblock(disk io.ReaderAt) ([]byte, error) {
	found := make([]byte, needed)
	_, err := disk.ReadAt(found, superblock)
	return found, err
}

// extentIn is how many blocks a superblock tells of, and how large they are, in bytes.
func extentIn(superblock []byte) (blocks, size uint64) {
	blocks = uint64(binary.LittleEndian.Uint32(superblock[blocksLow:]))
	if binary.LittleEndian.Uint32(superblock[incompatible:])&incompatible64Bit != 0 {
		blocks |= uint64(binary.LittleEndian.Uint32(superblock[blocksHigh:])) << 32
	}
	return blocks, 1024 << binary.LittleEndian.Uint32(superblock[logBlockSize:])
}

// blocksFor is how many blocks a file system has that is made on a disk of that size in bytes.
func blocksFor(size int64) int64 { return (size - reserve) / blockSize }

// Damaged gives an error if a mounted file system has found errors in itself.
func Damaged(device string) error {
	count, err := os.ReadFile(filepath.Join("/sys/fs/ext4", filepath.Base(device), "errors_count"))
	if err != nil {
		return err
	}
	if found := strings.TrimSpace(string(count)); found != "0" {
		return fmt.Errorf("its file system has found %s errors in itself, and takes no more writes: restart the machine, which checks it",
			found)
	}
	return nil
}
