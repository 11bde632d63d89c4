// Command defaulting tells how Kubernetes compares Pod templates, from its own types and its own defaulting.
//
// Without arguments it reads a JSON list of PodTemplateSpecs and writes each as an API server stores a Pod made
// of it. With `types` it writes how each type's fields are declared in Go, which decides whether an empty value
// is the same as an absent one; and what Kubernetes puts in for each field that isn't there.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
)

// Field is how one field is declared, what type is in it, and what Kubernetes puts there if it is absent.
type Field struct {
	Kind    string `json:"kind"`
	Type    string `json:"type,omitempty"`
	Default any    `json:"default,omitempty"`
}

var (
	quantityType = reflect.TypeFor[resource.Quantity]()
	portType     = reflect.TypeFor[intstr.IntOrString]()
	timeType     = reflect.TypeFor[metav1.Time]()
)

func main() {
	var told any
	if slices.Equal(os.Args[1:], []string{"types"}) {
		types := map[string]map[string]Field{}
		describe(reflect.TypeFor[corev1.PodTemplateSpec](), types)
		told = types
	} else {
		var templates []corev1.PodTemplateSpec
		if err := json.NewDecoder(os.Stdin).Decode(&templates); err != nil {
			log.Fatal(err)
		}
		stored := []any{}
		for _, template := range templates {
			stored = append(stored, storedAs(template))
		}
		told = stored
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	if err := out.Encode(told); err != nil {
		log.Fatal(err)
	}
}

// storedAs takes a template the way of a request: defaults, the internal version, and back.
func storedAs(template corev1.PodTemplateSpec) map[string]any {
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.APIVersion, pod.Kind = "v1", "Pod"
	text, err := json.Marshal(pod)
	if err != nil {
		log.Fatal(err)
	}
	internal, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(text, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	back, err := legacyscheme.Scheme.ConvertToVersion(internal, corev1.SchemeGroupVersion)
	if err != nil {
		log.Fatal(err)
	}
	return asJSON(map[string]any{"metadata": back.(*corev1.Pod).ObjectMeta, "spec": back.(*corev1.Pod).Spec})
}

// describe adds a type, and all that it holds.
func describe(of reflect.Type, types map[string]map[string]Field) {
	if _, known := types[of.Name()]; known {
		return
	}
	fields := map[string]Field{}
	types[of.Name()] = fields
	for i := range of.NumField() {
		declared := of.Field(i)
		name, _, _ := strings.Cut(declared.Tag.Get("json"), ",")
		if name == "" && declared.Anonymous {
			describe(declared.Type, types)
			maps.Copy(fields, types[declared.Type.Name()])
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		field := Field{Kind: kind(declared.Type)}
		below := declared.Type
		for below.Kind() == reflect.Pointer || below.Kind() == reflect.Slice || below.Kind() == reflect.Map {
			below = below.Elem()
		}
		switch {
		case below == quantityType:
			field.Type = "Quantity"
		case below.Kind() == reflect.Struct && below != portType && below != timeType:
			field.Type = below.Name()
			describe(below, types)
		}
		fields[name] = field
	}
	for name, value := range defaults(of) {
		if field, known := fields[name]; known {
			field.Default = value
			fields[name] = field
		}
	}
}

func kind(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Pointer:
		if of.Elem().Kind() == reflect.Struct {
			return "pointer to struct"
		}
		return "pointer"
	case reflect.Slice:
		return "list"
	case reflect.Map:
		return "map"
	case reflect.Struct:
		return "struct"
	default:
		return "value"
	}
}

// defaults is what Kubernetes adds to a value of a type of which nothing is said.
func defaults(of reflect.Type) map[string]any {
	found := map[string]any{}
	for _, where := range places(reflect.TypeFor[corev1.PodTemplateSpec](), of, nil, 0) {
		template := reflect.New(reflect.TypeFor[corev1.PodTemplateSpec]()).Elem()
		before := asJSON(reach(template, where).Interface())
		pod := &corev1.Pod{Spec: template.Interface().(corev1.PodTemplateSpec).Spec}
		legacyscheme.Scheme.Default(pod)
		// Lists were reached by pointers that the Pod shares, or by way of its own spec.
		template.FieldByName("Spec").Set(reflect.ValueOf(pod.Spec))
		after := asJSON(walk(template, where).Interface())
		for name, value := range after {
			if was, said := before[name]; said && was != nil {
				continue
			}
			if other, known := found[name]; known && !reflect.DeepEqual(other, value) {
				log.Fatalf("%s of %s has two defaults: %v and %v", name, of.Name(), other, value)
			}
			found[name] = value
		}
	}
	return found
}

// places are the ways from one type to another, as the numbers of fields.
func places(from, to reflect.Type, way []int, depth int) [][]int {
	if from == to {
		return [][]int{slices.Clone(way)}
	}
	if from == quantityType || from == portType || from == timeType || from.Kind() != reflect.Struct || depth > 12 {
		return nil
	}
	var found [][]int
	for i := range from.NumField() {
		below := from.Field(i).Type
		for below.Kind() == reflect.Pointer || below.Kind() == reflect.Slice {
			below = below.Elem()
		}
		found = append(found, places(below, to, append(way, i), depth+1)...)
	}
	return found
}

// reach makes all that is on the way, an element of each list, and gives what is at its end.
func reach(value reflect.Value, way []int) reflect.Value {
	for _, i := range way {
		value = value.Field(i)
		if value.Kind() == reflect.Pointer {
			value.Set(reflect.New(value.Type().Elem()))
			value = value.Elem()
		}
		if value.Kind() == reflect.Slice {
			value.Set(reflect.MakeSlice(value.Type(), 1, 1))
			value = value.Index(0)
		}
	}
	return value
}

func walk(value reflect.Value, way []int) reflect.Value {
	for _, i := range way {
		value = value.Field(i)
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if value.Kind() == reflect.Slice {
			value = value.Index(0)
		}
	}
	return value
}

func asJSON(value any) map[string]any {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	found := map[string]any{}
	if err := json.Unmarshal(text, &found); err != nil {
		log.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return found
}
