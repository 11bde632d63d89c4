// Pauseimage writes the image of Pods' sandboxes into the folder that containerd is going to have as its root, so
// that no registry is needed for it.
//
//	pauseimage NAME PROGRAM ROOT EPOCH ARCHITECTURE
//
// The image NAME holds PROGRAM as /pause and nothing else. ROOT is filled with a content store and metadata as
// containerd writes them itself; it unpacks the image when it is first used. All times are EPOCH (seconds), so that
// the same input makes the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/pkg/epoch"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// The folders are <plugin type>.<plugin id>, below containerd's root.
const (
	contentFolder  = "io.containerd.content.v1.content"
	metadataFolder = "io.containerd.metadata.v1.bolt"
	namespace      = "k8s.io"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: pauseimage NAME PROGRAM ROOT EPOCH ARCHITECTURE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "pauseimage:", err)
		os.Exit(1)
	}
}

func write(name, program, root, epochText, architecture string) error {
	seconds, err := strconv.ParseInt(epochText, 10, 64)
	if err != nil {
		return err
	}
	when := time.Unix(seconds, 0).UTC()
	layer, err := layerOf(program, when)
	if err != nil {
		return err
	}
	store, err := local.NewStore(filepath.Join(root, contentFolder))
	if err != nil {
		return err
	}
	folder := filepath.Join(root, metadataFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	scratch := filepath.Join(folder, "scratch.db")
	if err := record(scratch, store, name, layer, architecture, when); err != nil {
		return err
	}
	if err := settle(scratch, filepath.Join(folder, "meta.db"), when); err != nil {
		return err
	}
	return os.Remove(scratch)
}

// record writes the image's blobs and what containerd knows about them.
func record(path string, store content.Store, name string, layer []byte, architecture string, when time.Time) error {
	file, err := bolt.Open(path, 0o644, nil)
	if err != nil {
		return err
	}
	defer file.Close()
	ctx := epoch.WithSourceDateEpoch(namespaces.WithNamespace(context.Background(), namespace), &when)
	db := metadata.NewDB(file, store, nil)
	if err := db.Init(ctx); err != nil {
		return err
	}
	blobs := db.ContentStore()

	layerDescriptor := descriptor(v1.MediaTypeImageLayer, layer)
	config, err := json.Marshal(v1.Image{
		Created:  &when,
		Platform: v1.Platform{Architecture: architecture, OS: "linux"},
		Config:   v1.ImageConfig{Entrypoint: []string{"/pause"}, User: "65535:65535"},
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{layerDescriptor.Digest}},
	})
	if err != nil {
		return err
	}
	configDescriptor := descriptor(v1.MediaTypeImageConfig, config)
	manifest, err := json.Marshal(v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    configDescriptor,
		Layers:    []v1.Descriptor{layerDescriptor},
	})
	if err != nil {
		return err
	}
	manifestDescriptor := descriptor(v1.MediaTypeImageManifest, manifest)

	for _, blob := range []struct {
		content    []byte
		descriptor v1.Descriptor
		labels     map[string]string
	}{
		{layer, layerDescriptor, nil},
		{config, configDescriptor, nil},
		// What keeps the other two from being collected as garbage.
		{manifest, manifestDescriptor, map[string]string{
			"containerd.io/gc.ref.content.config": configDescriptor.Digest.String(),
			"containerd.io/gc.ref.content.l.0":    layerDescriptor.Digest.String(),
		}},
	} {
		ref := blob.descriptor.Digest.String()
		reader := bytes.NewReader(blob.content)
		if err := content.WriteBlob(ctx, blobs, ref, reader, blob.descriptor, content.WithLabels(blob.labels)); err != nil {
			return err
		}
	}
	_, err = metadata.NewImageStore(db).Create(ctx, images.Image{
		Name:   name,
		Target: manifestDescriptor,
		Labels: map[string]string{"io.cri-containerd.image": "managed", "io.cri-containerd.pinned": "pinned"},
	})
	return err
}

// settle copies the metadata, with the same time for everything: content has the time when it was written.
func settle(from, to string, when time.Time) error {
	source, err := bolt.Open(from, 0o644, nil)
	if err != nil {
		return err
	}
	defer source.Close()
	stamp, err := when.MarshalBinary()
	if err != nil {
		return err
	}
	if err := source.Update(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, bucket *bolt.Bucket) error { return stampAll(bucket, stamp) })
	}); err != nil {
		return err
	}
	target, err := bolt.Open(to, 0o644, nil)
	if err != nil {
		return err
	}
	defer target.Close()
	// A transaction each: one that touches two buckets gives them pages in any order (bbolt, Bucket.spill).
	return bolt.Compact(target, source, 1)
}

func stampAll(bucket *bolt.Bucket, stamp []byte) error {
	var times [][]byte
	if err := bucket.ForEach(func(key, value []byte) error {
		if value == nil {
			return stampAll(bucket.Bucket(key), stamp)
		}
		if name := string(key); name == "createdat" || name == "updatedat" {
			times = append(times, bytes.Clone(key))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, key := range times {
		if err := bucket.Put(key, stamp); err != nil {
			return err
		}
	}
	return nil
}

func layerOf(program string, when time.Time) ([]byte, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	header := &tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(binary)), ModTime: when, Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := archive.Write(binary); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

func descriptor(mediaType string, content []byte) v1.Descriptor {
	return v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}
