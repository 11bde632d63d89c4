// How fields are configured: Grafana's own rules, over a registry of those settings that the dashboard uses. In Grafana
// the registry and the defaults of a panel's type come from the server's half, which is no library.

import {
  applyFieldOverrides,
  DataFrame,
  FieldColorModeId,
  FieldConfigOptionsRegistry,
  FieldConfigPropertyItem,
  GrafanaTheme2,
} from '@grafana/data';

import { only, type Panel } from './dashboard';

const STANDARD = ['unit', 'min', 'max', 'decimals', 'noValue', 'displayName', 'color', 'thresholds', 'mappings'];
const CUSTOM = [
  ...['drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity', 'gradientMode', 'showPoints', 'pointSize'],
  ...['stacking', 'spanNulls', 'barAlignment', 'axisPlacement', 'width', 'align', 'cellOptions', 'filterable'],
];

/** What a new panel of a type starts from. */
const DEFAULTS: Partial<Record<Panel['type'], { color: object; custom: object }>> = {
  timeseries: {
    color: { mode: FieldColorModeId.PaletteClassic },
    custom: {
      ...{ drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none' },
      ...{ showPoints: 'auto', pointSize: 5, spanNulls: false, barAlignment: 0, axisPlacement: 'auto' },
      stacking: { mode: 'none', group: 'A' },
    },
  },
  table: {
    color: { mode: FieldColorModeId.Thresholds },
    custom: { align: 'auto', cellOptions: { type: 'auto' } },
  },
};

const registry = new FieldConfigOptionsRegistry(() => [
  ...STANDARD.map((id) => item(id, false)),
  ...CUSTOM.map((id) => item(id, true)),
]);

function item(path: string, isCustom: boolean): FieldConfigPropertyItem {
  const nothing = () => null;
  return {
    id: isCustom ? `custom.${path}` : path,
    path,
    isCustom,
    name: path,
    description: '',
    editor: nothing,
    override: nothing,
    process: (value) => value,
    shouldApply: () => true,
  };
}

/** The frames with their fields as the panel's fieldConfig has them. Throws if it has what isn't drawn. */
export function configured(panel: Panel, data: DataFrame[], theme: GrafanaTheme2): DataFrame[] {
  const where = `panel ${panel.id}, ${panel.title}: fieldConfig`;
  const { defaults, overrides } = panel.fieldConfig;
  only(where, defaults, [...STANDARD, 'custom']);
  only(where, defaults.custom ?? {}, CUSTOM);
  for (const override of overrides) {
    if (!['byName', 'byRegexp'].includes(override.matcher.id)) {
      throw new Error(`${where}: overrides ${override.matcher.id} are not drawn`);
    }
    for (const property of override.properties) {
      if (!registry.getIfExists(property.id)) {
        throw new Error(`${where}: ${property.id} is not drawn`);
      }
    }
  }
  const usual = DEFAULTS[panel.type];
  const fieldConfig = {
    defaults: { ...(usual && { color: usual.color }), ...defaults, custom: { ...usual?.custom, ...defaults.custom } },
    overrides,
  };
  return applyFieldOverrides({
    data,
    fieldConfig,
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}
