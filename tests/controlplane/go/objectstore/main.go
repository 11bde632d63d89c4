// Command objectstore serves the files below a folder by S3's API, to whoever signs requests with one key:
//
//	objectstore <address> <folder> <key's id> <secret key>
//
// They are the objects of the bucket "disks", read once at its start. Others may ask for nothing: S3 looks at
// the signature before it looks whether there is such an object.
package main

import (
	"bytes"
	"context"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

const bucket = "disks"

func main() {
	address, folder, id, secret := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	store := s3mem.New()
	if err := store.CreateBucket(context.Background(), bucket); err != nil {
		log.Fatal(err)
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		meta, body, size := map[string]string{}, bytes.NewReader(data), int64(len(data))
		_, err = store.PutObject(context.Background(), bucket, filepath.ToSlash(key), meta, body, size)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	server := gofakes3.New(store, gofakes3.WithV4Auth(map[string]string{id: secret}))
	log.Fatal(http.ListenAndServe(address, server.Server()))
}
