package kube

import "sort"

// Ref names an object that the Pod refers to.
type Ref struct{ Kind, Name string }

// Data is such an object's content by key. A ConfigMap's data and binaryData are one here.
type Data map[string][]byte

// Objects are the objects that the machine was given. An object that isn't among them doesn't exist for the Pod.
type Objects map[Ref]Data

// OnDisks are the objects that the machine has as they were at its start, since they are disks.
type OnDisks map[Ref]bool

// Advice says what to do about an object, such as "add it", and whether that needs a restart.
func (o OnDisks) Advice(ref Ref, what string) string {
	if o[ref] {
		return what + " and restart the machine (twinhull restart), which reads it at its start only"
	}
	return what
}

// The kinds of attachments.
const (
	ConfigMap      = "ConfigMap"
	Secret         = "Secret"
	ServiceAccount = "ServiceAccount"
	Claim          = "PersistentVolumeClaim"
	Launcher       = "Launcher"
)

// Keys are an object's keys in order.
func (d Data) Keys() []string {
	keys := make([]string, 0, len(d))
	for key := range d {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// First is the only object of a kind that there is one of.
func (o Objects) First(kind string) (Data, bool) {
	for ref, data := range o {
		if ref.Kind == kind {
			return data, true
		}
	}
	return nil, false
}

// Claims are where PersistentVolumeClaims are, by their names: the device files of block claims, the folders of
// the others.
type Claims struct{ Devices, Folders map[string]string }
