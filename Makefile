# Every target runs from a fresh clone: it installs what it needs into .venv and a cache in your home.
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
# The tests that depend on the version of KubeVirt.
KUBEVIRT_TESTS := $(addprefix operator/test_,completion filesystem_claims flips inplace life machine startfirst traffic) \
    verbs/test_preflight
# Tests that share nothing, on all processors: who is done early takes from the others.
PARALLEL := --numprocesses auto --maxprocesses 8 --dist worksteal
INNER := tests/unit/core tests/unit/shell
# What Python has compiled is kept, also where the environment says otherwise: tests start it hundreds of times.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what each target does
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 16

.PHONY: demo
demo: .venv/ready ## See it on a real control plane: one image in all three hulls, flipped each way, and raised by a policy
	@$(PY) -m tests.demo

.PHONY: recording
recording: .venv/ready ## Make docs/recording.svg, the README's terminal, by a real run
	@$(PY) -m tests.demo.recording

.PHONY: demo-boot
demo-boot: .venv/ready ## See one Workload's machine really boot and answer, with an emulated processor
	@$(PY) -m tests.demo boot

.PHONY: test
test: .venv/ready ## All tests, on a real control plane; a quarter of the booted ones, and a few on a real node (the first run builds all of it)
	@$(PY) -m tests.run

.PHONY: quick
quick: .venv/ready ## The linters, and the unit tests that take seconds
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target lint unit-quick-inner unit-quick-outer

.PHONY: one
one: .venv/ready ## One test: make one T=tests/e2e/operator/test_flips.py K=back; on the control plane of `make cluster`, if it runs
	@[ -n "$(T)" ] || { echo 'Say which: make one T=tests/e2e/operator/test_flips.py K=back' >&2; exit 2; }
	@$(PY) -m pytest --running-cluster $(T) $(if $(K),-k "$(K)")

.PHONY: test-agent
test-agent: ## The tests of the guest's own program
	@$(PYTHON) -c 'import shutil, sys; sys.exit(shutil.which("go") is None)' || \
	    { echo 'Go 1.26 or later is needed: install it from https://go.dev/dl/' >&2; exit 1; }
	@cd guest/agent && unformatted=$$(gofmt -l .) && { [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted" >&2; exit 1; }; }
	@echo "Testing the guest's agent …"
	@cd guest/agent && go vet ./... && out=$$(go test -timeout 600s ./... 2>&1) || { echo "$$out" >&2; exit 1; }

.PHONY: test-kubernetes
test-kubernetes: .venv/ready ## The tests of everything that depends on the version of Kubernetes, on each that is supported
	@$(PY) -m pytest tests/e2e/operator/test_older_kubernetes.py --every-kubernetes

.PHONY: test-node
test-node: .venv/ready ## All three hulls on real KubeVirt nodes: kubelet, containerd, gVisor, virt-handler, libvirt, QEMU (needs root)
	@$(PY) -m tests.node

.PHONY: test-kubevirt
test-kubevirt: .venv/ready ## The same for KubeVirt: with the older version that is supported, and on real nodes
	@$(PY) -m pytest --older-kubevirt $(addprefix tests/e2e/,$(addsuffix .py,$(KUBEVIRT_TESTS)))
	@$(PY) -m tests.node --older-kubevirt

.PHONY: test-conversions
test-conversions: .venv/ready ## Run all that twinhull convert makes of its tests' inputs, in both hulls, not one of twelve
	@$(PY) -m pytest --all-conversions tests/e2e/operator/test_converted.py

.PHONY: unit
unit: .venv/ready ## The tests that need no control plane, on all processors
	@$(PY) -m pytest tests/unit --quiet $(PARALLEL)

# Two halves that take as long, and not pytest-xdist, by which each process collects all tests.
.PHONY: unit-quick-inner unit-quick-outer
unit-quick-inner: .venv/ready
	@$(PY) -m pytest $(INNER) --quiet -m 'not slow'
unit-quick-outer: .venv/ready
	@$(PY) -m pytest tests/unit $(addprefix --ignore=,$(INNER)) --quiet -m 'not slow'

.PHONY: lint
lint: .venv/ready ## ruff, mypy strict, import-linter
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

.PHONY: format
format: .venv/ready ## Put the code in shape
	@$(PY) -m ruff check --quiet --fix .
	@$(PY) -m ruff format --quiet .

.PHONY: generate
generate: .venv/ready ## Make the CRDs and everything else that is derived
	@$(PY) -m tools.generate

.PHONY: check-generated
check-generated: .venv/ready
	@$(PY) -m tools.generate --check

.PHONY: docs
docs: .venv/ready ## Make the site of docs/ in dist/site; a link that leads nowhere ends it
	@# With --quiet mkdocs counts no warnings. Without the variable each build tells of a successor (pyproject.toml).
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict > .venv/docs.log 2>&1 || { cat .venv/docs.log; exit 1; }

.PHONY: cli
cli: .venv/ready ## Make the command as one file for machines without pip, and krew's manifest, in dist/cli (PLATFORM=linux-arm64, URL=…)
	@$(PY) -m tools.onefile $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(URL),--url $(URL))

.PHONY: picture
picture: .venv/ready ## Draw the dashboard for docs/metrics.md, over minutes of a real run (needs Node.js 20 and Chromium)
	@$(PY) -m tests.metrics.picture

.PHONY: lock
lock: .venv/ready ## Pin every dependency anew, by hash
	@$(PY) -m pip install --quiet uv
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --group dev --extra traces --custom-compile-command 'make lock' pyproject.toml --output-file requirements.lock
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' tools/audit/requirements.in --output-file tools/audit/requirements.lock

.PHONY: audit
audit: .venv/ready ## What is known against the pinned Python packages and the guest's Go modules, by pip-audit and govulncheck
	@$(PY) -m tools.audit

.PHONY: cluster
cluster: .venv/ready ## Start a control plane on this machine and leave it running (.cluster/kubeconfig)
	@$(PY) -m tests.controlplane up

.PHONY: cluster-down
cluster-down: .venv/ready ## Stop the control plane that `make cluster` started
	@$(PY) -m tests.controlplane down

.PHONY: guest
guest: .venv/ready ## Make the disk image, kernel and initrd that a Workload's machine boots
	@$(PY) -m guest.image build

.PHONY: test-guest
test-guest: .venv/ready test-agent ## Boot the guest from the operator's own objects, and look at what runs in it
	@$(PY) -m guest.image build
	@$(PY) -m pytest tests/guest

.PHONY: guest-lock
guest-lock: .venv/ready ## Pin the guest's Debian packages and the tools that build it anew
	@$(PY) -m guest.image lock

.PHONY: importer-lock
importer-lock: .venv/ready ## Pin the Debian packages of CDI's importer anew
	@$(PY) -m tests.importer

.PHONY: node-lock
node-lock: .venv/ready ## Pin the Debian packages of the real nodes anew
	@$(PY) -m tests.node lock

.PHONY: disk-lock
disk-lock: .venv/ready ## Pin the Debian packages of the disks that machines boot in the tests anew
	@$(PY) -m tests.disksystem lock

.PHONY: run
run: .venv/ready ## Run the operator against the current kubeconfig
	@$(PY) -m twinhull run

.PHONY: bench
bench: .venv/ready ## Measure against agent-sandbox, the ReplicaSet controller and a bare loop, side by side
	@$(PY) -m tests.bench

.PHONY: bench-cli
bench-cli: .venv/ready ## Time the help of each verb, and what works without a cluster, beside Python's, kubectl's and Helm's starts
	@$(PY) -m tests.bench.commandline

.PHONY: bench-plan
bench-plan: .venv/ready ## Time the decision on each golden case, and name the slowest rules
	@$(PY) -m tests.bench.decisions

.PHONY: clean
clean: ## Remove what the other targets made here (not the cache in your home: clean-cache does that)
	@rm -rf .venv .cluster dist tests/metrics/picture/page/built tests/metrics/picture/page/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: clean-cache
clean-cache: .venv/ready ## Show how large the cache in your home is, ask, and remove it (YES=1 asks nothing)
	@$(PY) -m tools.cache clean $(if $(YES),--yes)

.venv/packages: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo 'Python 3.11 or later is needed: apt-get install python3 (or name one: make PYTHON=python3.12 …)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the pinned dependencies into .venv …"
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

.venv/ready: .venv/packages pyproject.toml
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
