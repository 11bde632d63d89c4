package agent

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// event is something that changes a fact: in which phases it can happen, and what it does. `what` is as guest/README.md has
// it.
type event struct {
	what    string
	in      func(Phase, facts) bool
	changes func(*facts)
}

func in(phases ...Phase) func(Phase, facts) bool {
	return func(phase Phase, _ facts) bool { return slices.Contains(phases, phase) }
}

// beforePod are the phases before the kubelet has what it is started with.
var beforePod = []Phase{ReadingManifest, AwaitingManifest, AwaitingNetwork, PreparingKubelet}

// events are all that change a fact, as the code does it: its file, or its variable, is written in these phases alone.
var events = []event{
	{"the disk has another manifest than the disk `trust` names", in(ReadingManifest), func(f *facts) { f.manifestRefused = true }},
	{"the operator puts the machine's manifest", in(AwaitingManifest), func(f *facts) { f.manifestRefused = false }},
	{"the manifest is read", in(ReadingManifest), func(f *facts) { f.manifestRead = true }},
	{"boot has written the network's file", in(AwaitingNetwork), func(f *facts) { f.networkRead = true }},
	{"the kubelet's files are written", in(PreparingKubelet), func(f *facts) { f.kubeletPrepared = true }},
	{"the Pod is given to the kubelet", in(StartingPod), func(f *facts) { f.podGiven = true }},
	{"a manifest with another image is put", in(AwaitingNetwork, PreparingKubelet, StartingPod, RunningPod),
		func(f *facts) { f.imageChanging = true }},
	{"the containers are those of the new images", in(ChangingPod), func(f *facts) { f.imageChanging = false }},
	{"the Pod has ended by itself", in(RunningPod, ChangingPod, StoppingPod), func(f *facts) { f.podFinal = true }},
	{"somebody wants the machine off, or the operator asks to end the Pod", func(p Phase, _ facts) bool { return p != MachineEnding && p != DiskLost },
		func(f *facts) { f.stopAsked = true }},
	{"the Pod's file is removed", in(StoppingPod), func(f *facts) { f.podGiven = false }},
	{"the Pod is gone, or has had its time", func(p Phase, f facts) bool { return p == StoppingPod || f.stopAsked && slices.Contains(beforePod, p) },
		func(f *facts) { f.podStopped = true }},
	{"the machine may end", func(p Phase, f facts) bool {
		return p == PodEnded || p == PodStopped || p == AwaitingManifest || f.stopAsked && slices.Contains(beforePod, p)
	}, func(f *facts) { f.machineEnding = true }},
	{"writes to the root disk are lost", func(p Phase, f facts) bool { return !f.podFinal && p != MachineEnding && p != DiskLost },
		func(f *facts) { f.diskLost = true }},
	{"the agent is started again", func(Phase, facts) bool { return true }, func(f *facts) {
		*f = facts{podGiven: f.podGiven, podFinal: f.podFinal, stopAsked: f.stopAsked, podStopped: f.podStopped,
			machineEnding: f.machineEnding, diskLost: f.diskLost}
	}},
}

// move is a phase that follows another one by an event.
type move struct {
	from, to Phase
	what     string
}

// moves are all that the events can make of a machine that has just started.
func moves() map[move]bool {
	found, seen, todo := map[move]bool{}, map[facts]bool{{}: true}, []facts{{}}
	for len(todo) > 0 {
		now := todo[0]
		todo = todo[1:]
		for _, event := range events {
			from := phaseOf(now)
			if !event.in(from, now) {
				continue
			}
			next := now
			event.changes(&next)
			if to := phaseOf(next); to != from {
				found[move{from, to, event.what}] = true
			}
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return found
}

func TestThePhaseIsTheFirstWhoseConditionHolds(t *testing.T) {
	prepared := facts{manifestRead: true, networkRead: true, kubeletPrepared: true}
	with := func(change func(*facts)) facts {
		changed := prepared
		change(&changed)
		return changed
	}
	for name, c := range map[string]struct {
		facts facts
		want  Phase
	}{
		"nothing is known":                         {facts{}, ReadingManifest},
		"the manifest is refused":                  {facts{manifestRefused: true}, AwaitingManifest},
		"refused, and the Pod is to end":           {facts{manifestRefused: true, stopAsked: true}, AwaitingManifest},
		"the manifest is read":                     {facts{manifestRead: true}, AwaitingNetwork},
		"and the network":                          {facts{manifestRead: true, networkRead: true}, PreparingKubelet},
		"started again in a Pod's end":             {facts{podGiven: true, stopAsked: true}, ReadingManifest},
		"started again after the machine's end":    {facts{machineEnding: true, podGiven: true}, MachineEnding},
		"started again with a lost disk":           {facts{podGiven: true, diskLost: true}, ReadingManifest},
		"prepared":                                 {prepared, StartingPod},
		"prepared, and the Pod is to end":          {with(func(f *facts) { f.stopAsked = true }), StoppingPod},
		"the Pod is given":                         {with(func(f *facts) { f.podGiven = true }), RunningPod},
		"and has another image":                    {with(func(f *facts) { f.podGiven, f.imageChanging = true, true }), ChangingPod},
		"and has ended":                            {with(func(f *facts) { f.podGiven, f.podFinal = true, true }), PodEnded},
		"and has ended, and is to end":             {with(func(f *facts) { f.podGiven, f.podFinal, f.stopAsked = true, true, true }), StoppingPod},
		"gone as asked":                            {with(func(f *facts) { f.stopAsked, f.podStopped = true, true }), PodStopped},
		"the disk is lost":                         {with(func(f *facts) { f.podGiven, f.diskLost = true, true }), DiskLost},
		"the disk is lost, and the Pod is to end":  {with(func(f *facts) { f.podGiven, f.diskLost, f.stopAsked = true, true, true }), DiskLost},
		"the disk is lost, and the machine ending": {with(func(f *facts) { f.diskLost, f.machineEnding = true, true }), MachineEnding},
	} {
		if got := phaseOf(c.facts); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestEachPhaseHasANameAConditionAndARound(t *testing.T) {
	names := map[string]bool{}
	for phase := range phases {
		phase := Phase(phase)
		names[phase.String()] = true
		if rounds[phase] == nil {
			t.Errorf("%s has no round", phase)
		}
		if !slices.ContainsFunc(conditions, func(c condition) bool { return c.phase == phase }) {
			t.Errorf("%s has no condition", phase)
		}
	}
	if len(names) != phases || names["unknown"] || Phase(phases).String() != "unknown" || len(conditions) != phases {
		t.Errorf("names %v, %d conditions", names, len(conditions))
	}
}

// readmeSection is the text of guest/README.md below a heading.
func readmeSection(t *testing.T, heading string) string {
	t.Helper()
	data, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(data), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("guest/README.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

const agentHeading = "What the agent is about"

func TestTheDiagramNamesThePhasesAndNothingElse(t *testing.T) {
	parts := strings.Split(readmeSection(t, agentHeading), "```")
	if len(parts) != 3 {
		t.Fatalf("the section has %d parts", len(parts))
	}
	drawn := map[string]bool{}
	for _, name := range regexp.MustCompile(`[A-Z][A-Za-z]+`).FindAllString(parts[1], -1) {
		drawn[name] = true
	}
	for phase := range phases {
		if name := Phase(phase).String(); !drawn[name] {
			t.Errorf("%s isn't drawn", name)
		} else {
			delete(drawn, name)
		}
	}
	for name := range drawn {
		t.Errorf("%s is drawn, and isn't a phase", name)
	}
}

func TestTheTableOfMovesHasThoseThatCanHappenAndNoOther(t *testing.T) {
	possible := moves()
	listed := map[move]bool{}
	byName := map[string]Phase{}
	for phase := range phases {
		byName[Phase(phase).String()] = Phase(phase)
	}
	for line := range strings.Lines(readmeSection(t, agentHeading)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 3 || !strings.HasPrefix(line, "| `") {
			continue
		}
		what := strings.TrimSuffix(cells[2], " |")
		for _, from := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[0], -1) {
			for _, to := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[1], -1) {
				listed[move{byName[from[1]], byName[to[1]], what}] = true
			}
		}
	}
	for one := range possible {
		if !listed[one] {
			t.Errorf("it lacks %s", show(one))
		}
	}
	for one := range listed {
		if !possible[one] {
			t.Errorf("it has %s, which can't happen", show(one))
		}
	}
}

func show(m move) string { return fmt.Sprintf("%s to %s: %s", m.from, m.to, m.what) }
