// Package kube has Kubernetes' objects as plain JSON, so that fields which this program doesn't know aren't lost.
package kube

import (
	"bytes"
	"encoding/json"
)

// Object is a JSON object. Numbers in it are json.Number.
type Object = map[string]any

// Decode reads a value, keeping its numbers as they are written.
func Decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// Clone is a deep copy.
func Clone(object Object) Object { return clone(object).(Object) }

func clone(value any) any {
	switch value := value.(type) {
	case Object:
		if value == nil {
			return Object(nil)
		}
		copied := make(Object, len(value))
		for key, below := range value {
			copied[key] = clone(below)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for index, below := range value {
			copied[index] = clone(below)
		}
		return copied
	}
	return value
}

// Map is a field that is an object, nil if it is absent.
func Map(object Object, key string) Object {
	found, _ := object[key].(Object)
	return found
}

// List is a field that is a list of objects.
func List(object Object, key string) []Object {
	elements, _ := object[key].([]any)
	found := make([]Object, 0, len(elements))
	for _, element := range elements {
		if object, ok := element.(Object); ok {
			found = append(found, object)
		}
	}
	return found
}

// Text is a field that is a string, "" if it is absent.
func Text(object Object, key string) string {
	found, _ := object[key].(string)
	return found
}

// Truth is a field that is a boolean, false if it is absent.
func Truth(object Object, key string) bool {
	found, _ := object[key].(bool)
	return found
}

// Integer is a field that is a whole number.
func Integer(object Object, key string) (int64, bool) {
	switch found := object[key].(type) {
	case json.Number:
		number, err := found.Int64()
		return number, err == nil
	case int64:
		return found, true
	case int:
		return int64(found), true
	}
	return 0, false
}

// Texts is a field that is an object of strings, as labels are.
func Texts(object Object, key string) map[string]string {
	found := map[string]string{}
	for name, value := range Map(object, key) {
		if text, ok := value.(string); ok {
			found[name] = text
		}
	}
	return found
}

// Containers are a Pod's init containers, then its containers.
func Containers(pod Object) []Object {
	spec := Map(pod, "spec")
	return append(List(spec, "initContainers"), List(spec, "containers")...)
}

// Append adds an element to a list field.
func Append(object Object, key string, element any) {
	before, _ := object[key].([]any)
	object[key] = append(append([]any{}, before...), element)
}
