package manifest

import (
	"strings"
	"testing"
)

func TestSaysWhatNoKubeletWouldTake(t *testing.T) {
	if err := read(t, running).Validate(); err != nil {
		t.Error(err)
	}
	for why, change := range map[string][2]string{
		"labels are no object":            {`{"a": "b"}`, `"a"`},
		`labels have "a": 1`:              {`{"a": "b"}`, `{"a": 1}`},
		`labels have "a": b/c`:            {`{"a": "b"}`, `{"a": "b/c"}`},
		`labels have "/a": b`:             {`{"a": "b"}`, `{"/a": "b"}`},
		`annotations have "": b`:          {`"labels": {"a": "b"}`, `"annotations": {"": "b"}`},
		"annotations are 262145 bytes":    {`"labels": {"a": "b"}`, `"annotations": {"a": "` + strings.Repeat("b", 256<<10) + `"}`},
		`container web: "" is no image`:   {`"web", "image": "one"`, `"web", "image": ""`},
		`container web: "a " is no image`: {`"web", "image": "one"`, `"web", "image": "a "`},
		"its resources are no object":     {`"resources": {"limits"`, `"resources": 1, "x": {"limits"`},
		"its limits are no object":        {`"limits": {`, `"limits": 1, "x": {`},
		"its limits of cpu, -1":           {`"cpu": "1"`, `"cpu": "-1"`},
		"its limits of memory, 64Mo":      {`64Mi`, `64Mo`},
		"it requests more cpu":            {`"limits": {`, `"requests": {"cpu": "1001m"}, "limits": {`},
	} {
		err := read(t, strings.Replace(running, change[0], change[1], 1)).Validate()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("want %q, got %v", why, err)
		}
	}
}

func TestTakesWhatAKubeletWould(t *testing.T) {
	for _, change := range [][2]string{
		{`"labels": {"a": "b"}`, `"labels": null, "annotations": {"Example.com/Note": "any text, {}"}`},
		{`{"a": "b"}`, `{"example.com/a": "", "B_c": "x.y"}`},
		{`"cpu": "1"`, `"cpu": 1.5`},
		{`"limits": {`, `"requests": {"cpu": "1000m", "memory": "64Mi"}, "limits": {`},
	} {
		if err := read(t, strings.Replace(running, change[0], change[1], 1)).Validate(); err != nil {
			t.Error(err)
		}
	}
}
