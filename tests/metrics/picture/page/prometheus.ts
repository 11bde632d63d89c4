// Queries as Grafana's Prometheus data source makes them, and data frames as it makes them of the answers.

import { createDataFrame, DataFrame, FieldType, rangeUtil, TimeRange } from '@grafana/data';

import type { Target } from './dashboard';

export interface Source {
  url: string;
  /** Seconds between two scrapes: the data source's setting of this name. */
  scraped: number;
  timeRange: TimeRange;
  variables: Record<string, string>;
}

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: Array<[number, string]>;
}

/** What a panel of this width gets for one of its queries, with at least so much time between two points. */
export async function ask(source: Source, target: Target, width: number, least?: string): Promise<DataFrame[]> {
  const [step, rateInterval] = intervals(source, width, least);
  const query = interpolated(target.expr, { ...source.variables, __rate_interval: `${rateInterval}s` });
  const to = source.timeRange.to.unix();
  if (target.instant) {
    const series = await request(`${source.url}/api/v1/query`, { query, time: String(to) });
    return target.format === 'table' ? [table(target, series)] : series.map((one) => frame(target, one, [one.value!]));
  }
  if (target.format === 'table') {
    throw new Error(`${target.expr}: a table of a range is not drawn`);
  }
  const from = Math.floor(source.timeRange.from.unix() / step) * step;
  const times = { start: String(from), end: String(to), step: String(step) };
  const series = await request(`${source.url}/api/v1/query_range`, { query, ...times });
  return series.map((one) => frame(target, one, steps(one.values!, from, to, step)));
}

/** Seconds between two points, and $__rate_interval. */
function intervals(source: Source, width: number, least = `${source.scraped}s`): [number, number] {
  const { intervalMs } = rangeUtil.calculateInterval(source.timeRange, width, least);
  const step = Math.ceil(intervalMs / 1000);
  return [step, Math.max(step + source.scraped, 4 * source.scraped)];
}

function interpolated(expression: string, variables: Record<string, string>): string {
  return expression.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => {
    const value = variables[braced ?? bare];
    if (value === undefined) {
      throw new Error(`${expression}: the variable ${braced ?? bare} has no value`);
    }
    return value;
  });
}

async function request(url: string, parameters: Record<string, string>): Promise<Series[]> {
  const response = await fetch(`${url}?${new URLSearchParams(parameters)}`);
  const answer = await response.json();
  if (answer.status !== 'success') {
    throw new Error(`${parameters.query}: ${answer.error}`);
  }
  return answer.data.result;
}

/** All points of a range: null where there is none, so that a line ends there. */
function steps(values: Array<[number, string]>, from: number, to: number, step: number): Array<[number, string | null]> {
  const at = new Map(values);
  const count = Math.floor((to - from) / step) + 1;
  return Array.from({ length: count }, (_, index) => {
    const time = from + index * step;
    return [time, at.get(time) ?? null];
  });
}

function frame(target: Target, series: Series, points: Array<[number, string | null]>): DataFrame {
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000) },
      {
        name: 'Value',
        type: FieldType.number,
        values: points.map(([, value]) => number(value)),
        labels: series.metric,
        config: { displayNameFromDS: legend(target.legendFormat, series.metric) },
      },
    ],
  });
}

function table(target: Target, all: Series[]): DataFrame {
  const labels = [...new Set(all.flatMap((series) => Object.keys(series.metric)))].sort();
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: all.map((series) => series.value![0] * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: all.map((series) => series.metric[label] ?? ''),
      })),
      { name: 'Value', type: FieldType.number, values: all.map((series) => number(series.value![1])) },
    ],
  });
}

/** What isn't a number, such as the quantile of a histogram in which nothing happened, is no point. */
function number(value: string | null): number | null {
  return value === null || value === 'NaN' ? null : Number(value.replace('Inf', 'Infinity'));
}

function legend(format: string, labels: Record<string, string>): string {
  if (format) {
    return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? '');
  }
  const { __name__: name = '', ...rest } = labels;
  const inside = Object.entries(rest).map(([label, value]) => `${label}="${value}"`);
  return inside.length || !name ? `${name}{${inside.join(', ')}}` : name;
}
