"""docs/convert-docker.md: what becomes of docker run's options and of a Compose file's keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import yaml

from twinhull.cli.scalars import Dumper
from twinhull.convert import compose
from twinhull.convert.compose.keys import KEYS, Key
from twinhull.convert.docker.options import OPTIONS, Option

_HEADER = "<!-- Made by `make generate` from operator/twinhull/convert; changes belong there and in tools/pages/convertdocker.py. -->"
_INTRO = f"""\
{_HEADER}

# From docker run and Compose

A `docker run` becomes a Workload, and a Compose file becomes one Workload for each service. What can't be carried over
without changing its meaning is left out, and named with the reason and with what to do instead.

Each option and each key has one of these fates:

- **honoured**: the Workload, or an object beside it, has it. A value that can't be had is named.
- **left out**: Kubernetes has nothing like it, or has it elsewhere. It is named.
- **without meaning here**: it says nothing of what runs. It is named, too.
- **refused**, or **honoured, or refused** if it depends on the value: the container would be another one, or a less
  isolated one. `docker run` then gives nothing, and of a Compose file that service is left out.

## What holds for both

- **Confinement stays as it was.** Docker confines each container by its seccomp profile, and Kubernetes doesn't unless
  it is told to. So each container has `seccompProfile: RuntimeDefault`, unless the input says `unconfined` or
  `privileged`. It gets no token of the API server and no variables of other Services, since Docker gives it neither.
- **Restarts.** Docker's default is `no`. So a Workload without a restart policy has `restartPolicy: Never`, and isn't
  started again once it has ended. `always` and `unless-stopped` are Always, `on-failure` is OnFailure.
- **Ends.** Docker kills a container 10 s after it has asked it to end, and Kubernetes after 30 s. `--stop-timeout` and
  `stop_grace_period` are carried over, and Docker's 10 s aren't: a container that ends by itself is as fast as before, and
  one that needs longer isn't cut off. One that doesn't heed SIGTERM takes 20 s longer: set
  `terminationGracePeriodSeconds` lower for it.
- **Images** have their registry written out: `nginx` is `docker.io/library/nginx`.
- **Names** are in lower case, with `-` in place of other characters, and have 50 characters at most. If that changes a
  name, it is said: others have to ask for the new one.
- **Reached by name.** A container without ports that others reach by its name, in a Compose file or with `--name` and a
  `--network` of one's own, has a headless Service of that name, which leads to it whatever the port.
- **Ports.** Docker's containers of one network reach each other at the container's port, and others at the host's. So the
  Workload's Service has the container's port, and the published one as well if it is another number. It is of type
  ClusterIP: how the port is to be reached from outside of the cluster is for you to say, and the table `TO CHECK` reminds
  you once for all ports. A port that only 127.0.0.1 has isn't published by another number.
- **Volumes** with a name are PersistentVolumeClaims. Docker's have no size, so each claim asks for 1Gi, which is a guess and
  is said to be one. Docker fills a new volume with what the image has at its path; Kubernetes doesn't. A volume without a
  name is an `emptyDir`.
- **Paths of the host** are left out, since a Pod has no such host. Only what each Linux node has of its own is a
  `hostPath`: `/`, `/proc`, `/sys`, `/dev`, `/boot`, `/lib/modules`, `/usr/src`, `/var/log`, `/run/udev`,
  `/etc/machine-id` and `/etc/os-release`.
- **A health check** is a readiness probe. Docker tells of an unhealthy container and doesn't restart it, as a liveness
  probe would. In Docker its names lead to it all the same, so that a check may ask for the container's own name, and
  members of a cluster find each other before they are healthy. So the Services of a container with a check have
  `publishNotReadyAddresses` if other containers, or it itself, use its names. Requests from outside then reach it as well
  before it is Ready, as in Docker: set `spec.service.publishNotReadyAddresses` to false if nothing needs its name before.
  A Workload with `replacement.strategy: StartFirst` doesn't have it.
- **Users** are numbers in Kubernetes. If the input has a name, the Workload has `runAsNonRoot: true`, so that it doesn't
  start as root until you set `runAsUser`. `root` is 0.
- **Ports below 1024** are open to each user in Docker. So a Workload with such a port, and a user that isn't root or
  without the capability NET_BIND_SERVICE, has the sysctl `net.ipv4.ip_unprivileged_port_start: "0"`, which older container
  runtimes don't set. If the image says the user, and the input doesn't, set it yourself (`--sysctl`, `sysctls`).
- **`$(…)`** in a command, a health check or a variable stays as it is: where Kubernetes would expand it, each `$` is
  doubled.
- **Variables** are in the Workload as they are, also those that are secret. `convert` names those that look like a secret,
  by their names and values. Put such ones into a Secret.

## docker run

`twinhull convert docker-run -- docker run -p 8080:80 nginx` takes a command line as it is, also of `docker create`,
`docker container run`, `podman run` and `nerdctl run`. An option that isn't in this table is an error.
"""
_PODMAN = """\
Options that only Podman has:
"""
_COMPOSE = """\
## Compose

`twinhull convert compose.yaml` reads the file as Compose does: its YAML (`yes` and `22:22` are strings, a key that is
there twice is an error), its variables (`${A}`, `${A:-default}`, `${A:?message}`, `$$`) with those of the file `.env`,
anchors and merges, `extends` in the same file and in others, and `env_file`. A variable that isn't set is taken for empty,
and named, also in `.env` and in `env_file`: a password with a `$` belongs into single quotes there. Files outside of the
Compose file's folder aren't read. A key that the Compose Specification hasn't is an error. Extensions (`x-…`) are named.

- **Each service is a Workload** of its name, and is reached by that name, as in Compose. A service with `ports` or
  `expose` has a Service with these ports, and with those at which other services ask for it (`rabbitmq:5672`,
  `http://web`, or `DB_HOST` with `DB_PORT`) in their variables, commands and health checks, and in the `content` of their
  configs; a port below 1024 counts only in a URL (`http://web:81`) or after `@`. In Docker every port is reached by the
  name, so the table `TO CHECK` says once for each such service which ports its Service has.
- **`depends_on`**: Kubernetes starts all Workloads at once. The output has them in their order, and each dependency is
  named with what becomes of it. Nothing waits: an init container could, but it would need an image that the file doesn't
  name, would need rights to see whether another Workload has completed, and would wait anew at each restart, which
  Compose doesn't. A service that has no restart, and ends if another one isn't there yet, fails for good; that is said.
- **Networks**: if two services share no network, or a network is `internal`, each service gets a NetworkPolicy that lets
  in what shares a network with it, and everybody at the ports that it publishes. What it exposes (`expose`), or publishes
  on 127.0.0.1, is for what shares a network with it alone. Otherwise networks have nothing to say.
- **Secrets** are never printed. A Compose file says where a secret comes from, and the command that makes the Secret of
  it is named (`kubectl create secret generic …`). It fails if the variable that it is made of isn't set. Of a variable in
  `.env`, which a shell doesn't read, `docker compose config --environment` has the value. Configs with `content` are
  ConfigMaps.
- **Volumes** that several services mount are ReadWriteMany, which needs storage that can be shared.
- **Profiles**: a service whose profiles aren't asked for is left out. COMPOSE_PROFILES is taken into account.
- **`build`**: a Workload runs an image of a registry. A service without `image` is left out.
- **Several files** (`include`, `-f` several times, `!reset`) are refused: run `docker compose config`, and convert what
  it prints.

This Compose file:

"""
_EXAMPLE = """\
services:
  db:
    image: postgres:18
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/password}
    secrets: [password]
    volumes: ["data:/var/lib/postgresql"]
    expose: ["5432"]
    healthcheck: {test: pg_isready, interval: 10s}
    restart: always
secrets:
  password: {file: ./password.txt}
volumes:
  data: {}
"""
_KEYS = """\
All keys, by the Compose Specification of June 2026. `*` is any name, and `[]` is an element of a list.
"""


def page() -> str:
    """The page's text."""
    conversion = compose.convert(_EXAMPLE)
    *claims, workload = conversion.objects
    manifest = yaml.dump(workload, Dumper=Dumper, sort_keys=False, width=110)
    docker = [option for option in OPTIONS.values() if not option.podman]
    podman = [option for option in OPTIONS.values() if option.podman]
    left = "".join(f"- `{one.path}`: {one.why}\n" for one in conversion.left)
    return "\n".join(
        [
            _INTRO,
            *_options(docker),
            "",
            _PODMAN,
            *_options(podman),
            "",
            f"{_COMPOSE}```yaml\n{_EXAMPLE}```\n",
            f"gives PersistentVolumeClaim {claims[0]['metadata']['name']} and this Workload:\n",
            f"```yaml\n{manifest}```\n",
            f"It says what isn't in them:\n\n{left}",
            _KEYS,
            *_keys(KEYS.values()),
            "",
        ]
    )


def _options(options: Iterable[Option]) -> Iterator[str]:
    """A table of options. Neighbours of one fate and sentence are one line."""
    yield "| option | fate | how, or why not |"
    yield "|---|---|---|"
    for (fate, sentence), alike in groupby(options, lambda option: (option.fate, option.sentence)):
        yield f"| {'<br>'.join(_names(option) for option in alike)} | {fate} | {_cell(sentence)} |"


def _names(option: Option) -> str:
    letter = f"`-{option.letter}`, " if option.letter else ""
    return letter + ", ".join(f"`--{name}`" for name in (option.name, *option.others))


def _keys(keys: Iterable[Key]) -> Iterator[str]:
    """A table of keys. Neighbours of one fate and sentence are one line; elements of lists are told of with them."""
    yield "| key | fate | how, or why not |"
    yield "|---|---|---|"
    listed = (key for key in keys if not key.sentence.startswith("see below") and not key.path.endswith("[]"))
    for (fate, sentence), alike in groupby(listed, lambda key: (key.fate, key.sentence)):
        yield f"| {'<br>'.join(f'`{key.path}`' for key in alike)} | {fate} | {_cell(sentence)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
