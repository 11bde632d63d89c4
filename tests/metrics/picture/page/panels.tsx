// A panel of each type, drawn by the components that Grafana draws it with.

import {
  DataFrame,
  DisplayValueAlignmentFactors,
  FieldDisplay,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  standardTransformers,
  standardTransformersRegistry,
  TimeRange,
  transformDataFrame,
} from '@grafana/data';
import { BigValue, PanelChrome, Table, TimeSeries, useTheme2, VizRepeater } from '@grafana/ui';
import { firstValueFrom } from 'rxjs';

import { type Panel } from './dashboard';
import { configured } from './fields';
import { ask, type Source } from './prometheus';

standardTransformersRegistry.setInit(() =>
  [standardTransformers.organizeFieldsTransformer, standardTransformers.sortByTransformer].map((known) => ({
    id: known.id,
    name: known.name,
    transformation: () => Promise.resolve(known),
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })),
);

/** A panel's data: its queries' answers, transformed. */
export async function load(source: Source, panel: Panel, width: number): Promise<DataFrame[]> {
  const data = (await Promise.all(panel.targets.map((target) => ask(source, target, width, panel.interval)))).flat();
  for (const { id } of panel.transformations) {
    if (!standardTransformersRegistry.getIfExists(id)) {
      throw new Error(`panel ${panel.id}, ${panel.title}: the transformation ${id} is not drawn`);
    }
  }
  return panel.transformations.length ? firstValueFrom(transformDataFrame(panel.transformations, data)) : data;
}

interface Drawn {
  panel: Panel;
  data: DataFrame[];
  timeRange: TimeRange;
  width: number;
  height: number;
}

export function Drawing({ panel, data, timeRange, width, height }: Drawn) {
  const theme = useTheme2();
  const frames = configured(panel, data, theme);
  const body = { panel, data: frames, timeRange };
  const Body = { stat: Stat, timeseries: Lines, table: Rows, row: Nothing }[panel.type];
  return (
    <PanelChrome
      title={panel.title}
      description={panel.description}
      width={width}
      height={height}
      padding={panel.type === 'table' ? 'none' : 'md'}
    >
      {(innerWidth, innerHeight) => <Body {...body} width={innerWidth} height={innerHeight} />}
    </PanelChrome>
  );
}

function Stat({ panel, data, width, height }: Drawn) {
  const theme = useTheme2();
  const { reduceOptions, graphMode, colorMode, textMode, justifyMode } = panel.options;
  const { orientation, text } = panel.options;
  const values = () =>
    getFieldDisplayValues({
      data,
      reduceOptions,
      fieldConfig: panel.fieldConfig,
      replaceVariables: (text) => text,
      sparkline: graphMode !== 'none',
      theme,
      timeZone: 'utc',
    });
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width, height, count }) => (
        <BigValue
          value={value.display}
          sparkline={value.sparkline}
          {...{ count, width, height, theme, alignmentFactors, colorMode, graphMode, textMode, justifyMode, text }}
        />
      )}
      source={data}
      renderCounter={0}
      autoGrid
      {...{ width, height, orientation }}
    />
  );
}

function Lines({ panel, data, timeRange, width, height }: Drawn) {
  if (!data.length) {
    return <Nothing />;
  }
  return (
    <TimeSeries
      frames={data}
      timeZone="utc"
      legend={{ calcs: [], ...panel.options.legend }}
      options={panel.options}
      {...{ timeRange, width, height }}
    />
  );
}

function Rows({ panel, data, width, height }: Drawn) {
  const [frame] = data;
  if (!frame || data.length > 1) {
    throw new Error(`panel ${panel.id}, ${panel.title}: a table of ${data.length} frames is not drawn`);
  }
  if (!frame.length) {
    return <Nothing />;
  }
  const { showHeader = true, sortBy } = panel.options;
  return <Table data={frame} noHeader={!showHeader} initialSortBy={sortBy} {...{ width, height }} />;
}

function Nothing() {
  return <div style={{ display: 'grid', placeItems: 'center', height: '100%' }}>No data</div>;
}
