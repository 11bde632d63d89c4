"""docs/metrics.md: the catalogue of metrics and the alerts as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any

import yaml

from twinhull.shell.metrics.catalogue import CATALOGUE, Definition

_FILES = Path(__file__).parents[2] / "charts" / "twinhull" / "files"
ALERTS = _FILES / "alerts.yaml"
DASHBOARD = _FILES / "dashboard.json"

_INTRO = """\
<!-- Made by `make generate` from operator/twinhull/shell/metrics and charts/twinhull/files/alerts.yaml;
changes belong there, or in tools/pages/metrics.py. -->

# Metrics, alerts and logs

`twinhull run --metrics-address :8080` (or `TWINHULL_METRICS_ADDRESS=:8080`) serves `/metrics` for Prometheus,
as text or as OpenMetrics, depending on the request. Without the option nothing is served. The page is plain
HTTP without a log-in, and names the namespaces that have Workloads. Limit access to it by a NetworkPolicy:
the chart's lets in the Pods of the operator's own namespace, and those of the namespaces in
`networkPolicy.metricsNamespaces`. Add the namespace of your Prometheus there. Scrape each operator, the
standbys too.

- [`charts/twinhull/files/alerts.yaml`](../charts/twinhull/files/alerts.yaml): the alerts below, as plain
  rule groups.
- [`charts/twinhull/files/dashboard.json`](../charts/twinhull/files/dashboard.json): a Grafana dashboard.
  Import it, and choose the data source.
{panels}

[![The dashboard: an overview, Workloads by namespace, slow ones, errors, and the operator at
work](images/dashboard.png)](images/dashboard.png)

`make picture` draws this image without a Grafana server: Grafana's own components draw the dashboard over a
few minutes of metrics from real operators, which work on simulated nodes.
"""
_CHOICES = """\
## Notes on the metrics

- **Common names.** Metrics that controller-runtime, client-go and its leader election also have are named
  like theirs. They have the same labels and the same buckets of the reconcile time, and are counted at the
  same moments, so dashboards for any operator work. Other controllers export these names, too: `and on
  (instance) twinhull_build_info` selects Twinhull's own. `workqueue_retries_total` differs.
  So do `workqueue_depth` and `workqueue_queue_duration_seconds`: a Workload that rests after expensive passes,
  or that a worker has, waits for no worker.
- **Bounded labels.** No metric names a Workload or a Pod, since their number has no bound.
  `twinhull_workloads` has at most as many series as there are Workloads. Guests, webhooks and device plugins
  may invent reasons, so only well-known ones are labels, and any other is `Other`. Administrators choose the
  values of `policy` and `runtime_class`, `host` is the API server's, and all other labels have a fixed set of
  values.
- **`workload_namespace`, not `namespace`.** Prometheus sets a label `namespace` to the operator's own
  namespace, and would rename ours without `honorLabels`. Alerts about a namespace's Workloads set
  `namespace`, for routing.
- **Several operators** in a cluster are told apart by that label `namespace`. The chart's TwinhullDown is about its
  own release: in place of `twinhull_build_info` it looks for `leader_election_master_status` with the namespace and
  the name of the release, and with `--lease-name` in `extraArgs` for `twinhull_build_info` with the namespace. Where
  series are scraped without the label, and in the plain file, it fires only when no operator at all is scraped.
- **Only the leader exports** metrics of Workloads and policies, so sums over all operators are right. While
  the Lease changes hands there may be no such series for some seconds.
- **Gauges are computed at the scrape** from the operator's memory, which takes some tens of milliseconds for
  10,000 Workloads. This is done at most once a second, and less often if it takes long; a scrape in between
  gets the same values. While the operator has no time for it, scrapes get the last gauges for a minute, and
  then none.
- **Counters and histograms start at zero with the process.** A process that hasn't seen the beginning of
  something (a Workload that was unready at the operator's start, a replacement under way) leaves it out of
  the histograms, since it doesn't know the duration.
- **A watch's age** is the time since its last event, bookmark or list. The API server sends a bookmark about
  every minute, and the operator lists all objects every ten minutes. So a working watch is never older than
  that.

## Logs

The operator logs one line for each write and for each change of a status, and none for a pass that changes
nothing. With `--log-format json` a line has these fields in addition to `message`, `severity` and
`timestamp`:

| field | what |
|---|---|
| `workload` | namespace/name |
| `hull` | the object that was written, or that runs the Workload: `Pod/web-1a2b3c4d5e` |
| `reason` | the reason of the Event or of the condition, or the name of an error |

## Traces

With `--traces` each pass over a Workload is a span `reconcile`, in which each request to the API server is a
span of its own. They are sent by OTLP over HTTP. [OpenTelemetry's own
variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), such as
`OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_TRACES_SAMPLER`, set the receiver, the sampling and the names. The
operator's image has the needed packages; elsewhere install them by `pip install 'twinhull[traces]'`.

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
    return "\n".join(
        [_INTRO.format(panels=_panels()), "## What to alert on\n", *_alerts(), "", *tables, _CHOICES]
    )


def _panels() -> str:
    """Which panels of the dashboard its choice of namespaces limits, as a part of a list's item."""
    limited = [
        f"*{panel['title']}*"
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        if any("$namespace" in target["expr"] for target in panel.get("targets", ()))
    ]
    *others, last = dict.fromkeys(limited)
    sentence = (
        f"The panels {', '.join(others)} and {last} can be limited to some namespaces. All others are about the "
        "whole operator: their metrics don't say which namespace a Workload is in."
    )
    return fill(sentence, 110, initial_indent="  ", subsequent_indent="  ")


def _alerts() -> Iterator[str]:
    groups: dict[str, Any] = yaml.load(ALERTS.read_text(encoding="utf-8"), yaml.CSafeLoader)
    yield "| alert | severity | what to do, and when it fires |"
    yield "|---|---|---|"
    for group in groups["groups"]:
        for rule in group["rules"]:
            condition = _code(" ".join(rule["expr"].split()))
            lasting = f" for {rule['for']}" if "for" in rule else ""
            advice = rule["annotations"]["description"].replace(
                "{{ $labels.workload_namespace }}", "NAMESPACE"
            )
            cell = f"{advice}<br>When {condition}{lasting}."
            yield f"| {rule['alert']} | {rule['labels']['severity']} | {cell} |"


def _code(text: str) -> str:
    """Code in a table's cell. GitHub and the site take a bar between backticks differently."""
    return f"<code>{escape(text, quote=False)}</code>".replace("|", "&#124;") if "|" in text else f"`{text}`"


def _metrics(prefixes: tuple[str, ...]) -> Iterator[str]:
    yield "| metric | type | labels | description |"
    yield "|---|---|---|---|"
    yield from (_row(metric) for metric in CATALOGUE if metric.name.startswith(prefixes))


def _row(metric: Definition) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"
