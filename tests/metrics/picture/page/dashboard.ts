// The dashboard's JSON, as far as it is drawn here. What isn't, is an error: no panel is to look as if it were drawn
// as it is meant.

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table';
  instant: boolean;
}

export interface Panel {
  id: number;
  type: 'row' | 'stat' | 'timeseries' | 'table';
  title: string;
  description: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: Target[];
  /** The least time between two points; without it, the data source's. */
  interval?: string;
  fieldConfig: { defaults: any; overrides: any[] };
  options: any;
  transformations: any[];
}

export interface Dashboard {
  title: string;
  panels: Panel[];
  /** The values of its variables: each is at All, or at what there is one of. */
  variables: Record<string, string>;
}

const OPTIONS: Record<Panel['type'], string[]> = {
  row: [],
  stat: ['reduceOptions', 'colorMode', 'graphMode', 'textMode', 'justifyMode', 'orientation', 'text'],
  timeseries: ['legend', 'tooltip'],
  table: ['showHeader', 'sortBy', 'cellHeight'],
};

/** The dashboard of this JSON. Throws if it has what isn't drawn here. */
export function read(json: any): Dashboard {
  if (json.links.length || json.annotations.list.length) {
    throw new Error('links and annotations are not drawn');
  }
  const variables = Object.fromEntries(json.templating.list.map(variable));
  return { title: json.title, panels: json.panels.map(panel), variables };
}

function variable(found: any): [string, string] {
  switch (found.type) {
    case 'datasource':
      return [found.name, 'prometheus'];
    case 'query':
      if (!found.includeAll || !found.allValue) {
        throw new Error(`the variable ${found.name} has no All with a value of its own`);
      }
      return [found.name, found.allValue];
    default:
      throw new Error(`variables of type ${found.type} are not drawn`);
  }
}

function panel(found: any): Panel {
  const where = `panel ${found.id}, ${found.title}`;
  if (!(found.type in OPTIONS)) {
    throw new Error(`${where}: panels of type ${found.type} are not drawn`);
  }
  if (found.type === 'row') {
    only(where, found, ['id', 'type', 'title', 'collapsed', 'gridPos', 'panels']);
    if (found.collapsed || found.panels.length) {
      throw new Error(`${where}: collapsed rows are not drawn`);
    }
  } else {
    only(where, found, [
      ...['id', 'type', 'title', 'description', 'gridPos', 'datasource', 'targets', 'fieldConfig', 'options'],
      ...['transformations', 'interval'],
    ]);
    only(`${where}: options`, found.options, OPTIONS[found.type as Panel['type']]);
  }
  return {
    id: found.id,
    type: found.type,
    title: found.title,
    description: found.description ?? '',
    gridPos: found.gridPos,
    targets: (found.targets ?? []).map((asked: any) => target(where, asked)),
    interval: found.interval,
    fieldConfig: found.fieldConfig ?? { defaults: {}, overrides: [] },
    options: found.options ?? {},
    transformations: found.transformations ?? [],
  };
}

function target(where: string, found: any): Target {
  only(where, found, ['refId', 'datasource', 'expr', 'legendFormat', 'format', 'instant', 'range']);
  if (found.instant && found.range) {
    throw new Error(`${where}: a query that is both instant and a range is not drawn`);
  }
  return { ...found, instant: Boolean(found.instant) };
}

/** Throws if an object has other keys than these. */
export function only(where: string, found: object, known: string[]): void {
  const other = Object.keys(found).filter((key) => !known.includes(key));
  if (other.length) {
    throw new Error(`${where}: ${other.join(', ')}: not drawn`);
  }
}
