package ext4

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// disk makes a file of a size, with some bytes at a place.
func disk(t *testing.T, size, at int64, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(content), at); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADiskIsBlankIfNoByteIsFoundWhereItIsLookedAt(t *testing.T) {
	const size = 256 << 20
	for name, at := range map[string]int64{
		"a boot sector":                   510,
		"the end of what is looked at":    head - 1,
		"a raid's superblock at the end":  size - 8192,
		"the very last byte":              size - 1,
		"a place in the middle":           size / samples * 128,
		"nothing but the unlooked places": size/samples*128 + sample,
	} {
		file, err := os.Open(disk(t, size, at, "x"))
		if err != nil {
			t.Fatal(err)
		}
		found, err := firstByte(file, size)
		file.Close()
		want := at
		if strings.HasPrefix(name, "nothing") {
			want = -1
		}
		if err != nil || found != want {
			t.Errorf("%s: byte %d, want %d (%v)", name, found, want, err)
		}
	}
}

func TestASmallDiskIsLookedAtAsAWhole(t *testing.T) {
	const size = 20<<20 + 512
	for _, at := range []int64{0, 17 << 20, size - 1} {
		file, err := os.Open(disk(t, size, at, "\x01"))
		if err != nil {
			t.Fatal(err)
		}
		if found, err := firstByte(file, size); err != nil || found != at {
			t.Errorf("byte %d, want %d (%v)", found, at, err)
		}
		file.Close()
	}
}

func TestOnlyAnExtIsTakenUp(t *testing.T) {
	for answer, want := range map[string]string{
		"DEVNAME=/dev/vdd\nTYPE=ext4\n":             "",
		"TYPE=ext3\n":                               "",
		"TYPE=xfs\n":                                "it holds xfs",
		"TYPE=crypto_LUKS\n":                        "it holds crypto_LUKS",
		"TYPE=LVM2_member\n":                        "it holds LVM2_member",
		"PTTYPE=gpt\n":                              "it has a partition table (gpt)",
		"DEVNAME=/dev/vdd\nTYPE=ext4\nPTTYPE=dos\n": "it has a partition table (dos)",
	} {
		found, err := known([]byte(answer))
		if want == "" {
			if err != nil || found != fileSystem {
				t.Errorf("%q: %v, %v", answer, found, err)
			}
			continue
		}
		if refused := (Refused{}); !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", answer, err, want)
		}
	}
}

func TestAMarkIsKeptUntilItIsTakenAway(t *testing.T) {
	const size = 20<<20 + 512
	path := disk(t, size, 0, "")
	for _, text := range [][]byte{mark, nil} {
		if err := setMark(path, size, text); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := hasMark(file, markAt(size))
		file.Close()
		if err != nil || found != (text != nil) {
			t.Errorf("%q: %v, %v", text, found, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Errorf("%v, %v: the disk must keep its size", info, err)
	}
	if end := blocksFor(size) * blockSize; end > markAt(size) {
		t.Errorf("the file system ends at %d, and the mark is at %d", end, markAt(size))
	}
}

func overwrite(t *testing.T, path string, at int64, content string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(content), at); err != nil {
		t.Fatal(err)
	}
}

// begun is a disk with the mark, and with a file system of so many blocks, if any. The bytes from one place to another are zeroes.
func begun(t *testing.T, size, block, blocks, from, to int64) string {
	t.Helper()
	path := disk(t, size, 0, "")
	if blocks > 0 {
		if said, err := run("mke2fs", "-q", "-t", "ext4", "-b", fmt.Sprint(block), path, fmt.Sprint(blocks)); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	overwrite(t, path, from, strings.Repeat("\x00", int(to-from)))
	if err := setMark(path, size, mark); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileSystemThatWasBegunIsRecognised(t *testing.T) {
	const size = 20<<20 + 512
	made := blocksFor(size)
	for name, path := range map[string]string{
		"nothing but the mark":               begun(t, size, 0, 0, 0, 0),
		"no superblock yet":                  begun(t, size, blockSize, made, 0, 8192),
		"the superblock's first half":        begun(t, size, blockSize, made, superblock+512, superblock+1024),
		"the superblock's second half":       begun(t, size, blockSize, made, superblock, superblock+512),
		"the superblock, and no inode table": begun(t, size, blockSize, made, 8192, size-reserve),
		"all of it":                          begun(t, size, blockSize, made, 0, 0),
		"one that ends at the mark's block":  begun(t, size, 1024, markAt(size)/1024, 0, 0),
	} {
		if found, err := inspect(path); err != nil || found != unfinished {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

func TestAFileWithTheMarkIsNoMark(t *testing.T) {
	const size = 20<<20 + 512
	for name, path := range map[string]string{
		"a file system over the whole disk":       begun(t, size, blockSize, size/blockSize, 0, 0),
		"one with smaller blocks":                 begun(t, size, 1024, size/1024, 0, 0),
		"one that ends one block into the mark's": begun(t, size, 1024, markAt(size)/1024+1, 0, 0),
	} {
		if found, err := inspect(path); err != nil || found != fileSystem {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// Whether blkid knows such file systems depends on its version: if it does, e2fsck looks at them, and refuses them.
func TestAFileSystemThatIsDamagedAndHasTheMarkInAFileIsNotMadeAgain(t *testing.T) {
	const size = 20 << 20
	checksum := begun(t, size, blockSize, size/blockSize, superblock+512, superblock+1024)
	blocks := begun(t, size, blockSize, size/blockSize, 0, 0)
	overwrite(t, blocks, superblock+logBlockSize, "\x40")
	for name, path := range map[string]string{"a wrong checksum": checksum, "blocks of 2^74 bytes": blocks} {
		found, err := inspect(path)
		if refused := (Refused{}); !errors.As(err, &refused) && (err != nil || found != fileSystem) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

func TestADiskWithTheMarkAndSomethingElseIsRefused(t *testing.T) {
	path := begun(t, 20<<20, 0, 0, 0, 0)
	overwrite(t, path, 0, "LUKS\xba\xbe\x00\x01")
	_, err := inspect(path)
	if refused := (Refused{}); !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), "it holds crypto_LUKS") {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestADiskThatIsTooSmallIsRefusedAndLeftAlone(t *testing.T) {
	path := disk(t, smallest-1, 0, "")
	err := create(path)
	if refused := (Refused{}); !errors.As(err, &refused) {
		t.Errorf("%v, want a refusal", err)
	}
	content, err := os.ReadFile(path)
	if err != nil || strings.Trim(string(content), "\x00") != "" {
		t.Errorf("it was written to (%v)", err)
	}
}

func TestTheSizeOfAFileSystemIsReadFromItsSuperblock(t *testing.T) {
	// Of a superblock: 0x00012345 blocks, and 2^2 KiB in each.
	low := "\x45\x23\x01\x00"
	for high, want := range map[string]uint64{"": 0x12345, "\x80": 0x1_00012345} {
		path := disk(t, smallest, superblock+blocksLow, low)
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.WriteAt([]byte{2}, superblock+logBlockSize)
		_, _ = file.WriteAt([]byte(high), superblock+incompatible)
		_, _ = file.WriteAt([]byte{1}, superblock+blocksHigh)
		file.Close()
		blocks, size, err := extent(path)
		if err != nil || blocks != want || size != blockSize {
			t.Errorf("%#x blocks of %d bytes, want %#x (%v)", blocks, size, want, err)
		}
	}
}

// half makes a disk on which the making of a file system ended in the middle: all that is written before the superblock is there, and
// of the superblock what `rest` leaves.
func half(t *testing.T, size int64, rest func(superblock []byte)) string {
	t.Helper()
	path := disk(t, size, 0, "")
	for _, step := range []error{setInnerMarks(path, size), setMark(path, size, mark)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if said, err := run("mke2fs", arguments(path, size)...); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 1024)
	if _, err := file.ReadAt(block, superblock); err != nil {
		t.Fatal(err)
	}
	rest(block)
	if _, err := file.WriteAt(block, superblock); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileSystemThatWasBegunIsMadeAnewThoughItsClaimHasGrown(t *testing.T) {
	whole, none := func([]byte) {}, func(superblock []byte) { clear(superblock) }
	for _, size := range []int64{smallest, 20<<20 + 512, 100 << 20, 300 << 20, 5 << 30, 70 << 30} {
		for name, rest := range map[string]func([]byte){
			"all but the end":             whole,
			"no superblock yet":           none,
			"the superblock's first half": func(superblock []byte) { clear(superblock[512:]) },
		} {
			path := half(t, size, rest)
			for _, grown := range []int64{size + 512, size + 100<<20, 3 * size} {
				if err := os.Truncate(path, grown); err != nil {
					t.Fatal(err)
				}
				if found, err := inspect(path); err != nil || found != unfinished {
					t.Errorf("%s, from %d to %d bytes: %v, %v", name, size, grown, found, err)
				}
			}
			if err := create(path); err != nil {
				t.Fatal(err)
			}
			if found, err := inspect(path); err != nil || found != fileSystem {
				t.Errorf("%s, made anew: %v, %v", name, found, err)
			}
			if err := check(path); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAFileSystemThatIsFinishedHasNoMarksAndGrows(t *testing.T) {
	for _, size := range []int64{smallest, 300 << 20, 5 << 30} {
		path := disk(t, size, 0, "")
		if err := create(path); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		marked, err := hasMark(file, append(innerMarks(size), markAt(size))...)
		file.Close()
		if marked || err != nil {
			t.Errorf("%d bytes: %v, %v", size, marked, err)
		}
		if err := os.Truncate(path, 2*size); err != nil {
			t.Fatal(err)
		}
		if found, err := inspect(path); err != nil || found != fileSystem {
			t.Errorf("%d bytes: %v, %v", size, found, err)
		}
	}
}

func TestAFileSystemThatWasMountedIsNeverMadeAnew(t *testing.T) {
	// Somebody has restored it onto a disk that has a mark, by blocks of the file system alone.
	mounted := func(superblock []byte) { superblock[mountedAt] = 1 }
	path := half(t, 100<<20, mounted)
	for _, size := range []int64{100 << 20, 200 << 20} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		if found, err := inspect(path); found == unfinished {
			t.Errorf("%d bytes: %v, %v", size, found, err)
		}
	}
}

func TestWhatIsUnknownIsLeftAloneThoughTheMarksBytesAreInIt(t *testing.T) {
	const size = 300 << 20
	for _, at := range []int64{0, 4096, 16 << 20, 16<<20 - 4097, 100<<20 - 4096} {
		path := disk(t, size, at, string(mark))
		overwrite(t, path, 100, "x")
		if found, err := inspect(path); err == nil {
			t.Errorf("the bytes at %d: %v", at, found)
		}
	}
}
