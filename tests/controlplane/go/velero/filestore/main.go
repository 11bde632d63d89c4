// Command filestore is a plugin of Velero's: an object store in a folder, which the configuration of a
// BackupStorageLocation names as "folder".
package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/pkg/plugin/framework"
)

func main() {
	framework.NewServer().
		RegisterObjectStore("twinhull.dev/filestore", func(logrus.FieldLogger) (any, error) { return &store{}, nil }).
		Serve()
}

// store keeps each object in a file: its bucket is a folder, and so is each part of its key but the last.
type store struct{ folder string }

func (s *store) Init(config map[string]string) error {
	s.folder = config["folder"]
	if !filepath.IsAbs(s.folder) {
		return errors.New("config.folder: name a folder by its absolute path")
	}
	return nil
}

func (s *store) PutObject(bucket, key string, body io.Reader) error {
	path := filepath.Join(s.folder, bucket, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(s.folder, "put-")
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path) // nobody sees half an object
}

func (s *store) ObjectExists(bucket, key string) (bool, error) {
	_, err := os.Stat(filepath.Join(s.folder, bucket, key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (s *store) GetObject(bucket, key string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(s.folder, bucket, key))
}

func (s *store) ListCommonPrefixes(bucket, prefix, delimiter string) ([]string, error) {
	keys, err := s.ListObjects(bucket, prefix)
	var prefixes []string
	for _, key := range keys {
		if next, _, below := strings.Cut(strings.TrimPrefix(key, prefix), delimiter); below {
			prefixes = append(prefixes, prefix+next+delimiter)
		}
	}
	return slices.Compact(prefixes), err
}

func (s *store) ListObjects(bucket, prefix string) ([]string, error) {
	var keys []string
	root := filepath.Join(s.folder, bucket)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root { // a bucket is there from its first object on
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(root, path)
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
		return err
	})
	return keys, err
}

func (s *store) DeleteObject(bucket, key string) error {
	return os.Remove(filepath.Join(s.folder, bucket, key))
}

func (s *store) CreateSignedURL(string, string, time.Duration) (string, error) {
	return "", errors.New("a folder has no URLs")
}
