"""docs/metrics.md: the catalogue of metrics and the alerts as a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import yaml

from twinhull.shell.metrics.catalogue import CATALOGUE, Definition

ALERTS = Path(__file__).parents[2] / "charts" / "twinhull" / "files" / "alerts.yaml"

_INTRO = """\
<!-- Made by `make generate` from operator/twinhull/shell/metrics and charts/twinhull/files/alerts.yaml;
changes belong there, or in tools/pages/metrics.py. -->

# Metrics, alerts and logs

`twinhull run --metrics-address :8080` (or `TWINHULL_METRICS_ADDRESS=:8080`) serves `/metrics` for
Prometheus, as text or as OpenMetrics, whichever is asked for. Without the option nothing is served: the
page is plain HTTP without a log-in, and names the namespaces that have Workloads, so who may reach it is
for a NetworkPolicy to say. The chart's lets in the Pods of the operator's own namespace, and of those that
`networkPolicy.metricsNamespaces` names: that of your Prometheus has to be among them. Each operator is to be
scraped by itself, those that wait for the Lease too.

- [`charts/twinhull/files/alerts.yaml`](../charts/twinhull/files/alerts.yaml): the alerts below, as plain
  rule groups.
- [`charts/twinhull/files/dashboard.json`](../charts/twinhull/files/dashboard.json): a Grafana dashboard.
  Import it, and choose the data source; everything can be narrowed to some namespaces.

[![The dashboard: an overview, Workloads by namespace, slow ones, errors, and the operator at
work](images/dashboard.png)](images/dashboard.png)

No Grafana server drew this: `make picture` has Grafana's own components draw that file, over what a
Prometheus has seen in some minutes of real operators at work on simulated nodes.
"""
_CHOICES = """\
## Why they are as they are

- **Names of others.** What controller-runtime, client-go and its leader election count has their names,
  labels and (reconcile time) buckets, counted at the same moments, so that dashboards for any operator fit.
  Other controllers count by these names too: `and on (instance) twinhull_build_info` keeps ours apart. Only
  `workqueue_retries_total` differs.
- **Bounded labels.** No metric names a Workload or a Pod: there is no end to those. `twinhull_workloads`
  has at most as many series as there are Workloads, and of the reasons that guests, webhooks and device
  plugins may invent only the well-known ones; any other is `Other`. `policy` and `runtime_class` are names
  that administrators gave, `host` is the API server's, and all other labels have a fixed set of values.
- **`workload_namespace`, not `namespace`.** Prometheus has a label `namespace` for where the operator
  itself runs, and would rename ours without `honorLabels`. Alerts about a namespace's Workloads set
  `namespace`, for routing.
- **One tells.** Of several operators only the one that acts tells of Workloads and policies, so sums over
  all are right. While a Lease changes hands there may be no such series for some seconds.
- **What is so is looked up, what happened is counted.** Gauges are read from what the operator knows when
  it is scraped: some tens of milliseconds for 10,000 Workloads. That is done at most once a second, and less
  often where it takes long; whoever asks in between is told the same. While the operator has no time for it,
  the last gauges are told for a minute, and then none. Counters and histograms begin anew with the process.
  What a process hasn't seen the beginning of (a Workload that wasn't ready when it started, a replacement
  under way) is in no histogram, rather than in it with a wrong time.
- **A watch's age** is that of its last event, bookmark or list. The API server sends a bookmark every
  minute, and all is listed every ten, so it is never older than that while all is well.

## Logs

One line for each write and for each change of a status, none for a pass that changes nothing. With
`--log-format json` a line has, beside `message`, `severity` and `timestamp`:

| field | what |
|---|---|
| `workload` | namespace/name |
| `hull` | the object that was written, or that runs the Workload: `Pod/web-1a2b3c4d5e` |
| `reason` | the Event's or the condition's, or the name of an error |

## Traces

With `--traces` each pass over a Workload is a span `reconcile`, and in it each request to the API server one
of its own. They are sent by OTLP over HTTP; where to, how many of them and under which names is said by
[OpenTelemetry's own
variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), such as
`OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_TRACES_SAMPLER`. The image has what it takes; elsewhere it is
`pip install 'twinhull[traces]'`.

```yaml
extraArgs: [--traces]   # of the chart
extraEnv:
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector.monitoring:4318"}
```
"""
_NAMESPACE = "{{ $labels.workload_namespace }}"
_GROUPS = (
    ("Workloads and the cluster", ("twinhull_",)),
    ("Passes, queue, requests and Lease", ("controller_runtime_", "workqueue_", "rest_client_", "leader_")),
    ("The process", ("process_",)),
)


def page() -> str:
    """The page's text."""
    tables = ("\n".join([f"## {title}\n", *_metrics(prefixes), ""]) for title, prefixes in _GROUPS)
    return "\n".join([_INTRO, "## What to alert on\n", *_alerts(), "", *tables, _CHOICES])


def _alerts() -> Iterator[str]:
    groups: dict[str, Any] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    yield "| alert | severity | what to do, and when it fires |"
    yield "|---|---|---|"
    for group in groups["groups"]:
        for rule in group["rules"]:
            condition = _code(" ".join(rule["expr"].split()))
            lasting = f" for {rule['for']}" if "for" in rule else ""
            advice = rule["annotations"]["description"].replace(
                "{{ $labels.workload_namespace }}", "NAMESPACE"
            )
            told = f"{advice}<br>When {condition}{lasting}."
            yield f"| {rule['alert']} | {rule['labels']['severity']} | {told} |"


def _code(text: str) -> str:
    """Code in a table's cell. GitHub and the site take a bar between backticks differently."""
    return f"<code>{escape(text, quote=False)}</code>".replace("|", "&#124;") if "|" in text else f"`{text}`"


def _metrics(prefixes: tuple[str, ...]) -> Iterator[str]:
    yield "| metric | type | labels | what it says |"
    yield "|---|---|---|---|"
    yield from (_row(found) for found in CATALOGUE if found.name.startswith(prefixes))


def _row(metric: Definition) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"
