// The dashboard, drawn by Grafana's own components over a Prometheus. Its picture is taken when `drawn` is said, or not
// at all: whatever fails, fails the whole.

import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';

import { createTheme, DataFrame, dateTime, ThemeContext, TimeRange } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { Component, type ReactNode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';

import { type Dashboard, type Panel, read } from './dashboard';
import { Drawing, load } from './panels';
import type { Source } from './prometheus';

// Grafana's grid: 24 columns, rows of 30 px, and 8 px between panels.
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const MARGIN = 16;
const HEADER = 40;

interface Settings {
  prometheus: string;
  scraped: number;
  /** Unix times. */
  began: number;
  ended: number;
}

interface Placed {
  left: number;
  top: number;
  width: number;
  height: number;
}

function place({ x, y, w, h }: Panel['gridPos']): Placed {
  const column = (window.innerWidth - 2 * MARGIN + GAP) / COLUMNS;
  return {
    left: MARGIN + x * column,
    top: HEADER + y * (ROW + GAP),
    width: w * column - GAP,
    height: h * (ROW + GAP) - GAP,
  };
}

function Board({ board, data, timeRange }: { board: Dashboard; data: Map<number, DataFrame[]>; timeRange: TimeRange }) {
  useEffect(() => void drawn(), []);
  const span = `${timeRange.from.utc().format('HH:mm')} to ${timeRange.to.utc().format('HH:mm')}`;
  return (
    <>
      <div style={{ position: 'absolute', left: MARGIN, right: MARGIN, lineHeight: `${HEADER}px`, display: 'flex' }}>
        <span style={{ fontSize: 18, fontWeight: 500, flex: 1 }}>{board.title}</span>
        <span>Namespace: All · {span}</span>
      </div>
      {board.panels.map((panel) => {
        const placed = place(panel.gridPos);
        return (
          <div key={panel.id} style={{ position: 'absolute', ...placed }}>
            {panel.type === 'row' ? (
              <div style={{ fontSize: 16, fontWeight: 500, lineHeight: `${placed.height}px` }}>{panel.title}</div>
            ) : (
              <Drawing panel={panel} data={data.get(panel.id)!} timeRange={timeRange} {...placed} />
            )}
          </div>
        );
      })}
    </>
  );
}

class Whole extends Component<{ children: ReactNode }> {
  static getDerivedStateFromError(): object {
    return {};
  }

  override componentDidCatch(error: unknown): void {
    failed(error);
  }

  override render(): ReactNode {
    return this.props.children;
  }
}

async function main(): Promise<void> {
  const [json, settings]: [unknown, Settings] = await Promise.all(
    ['dashboard.json', 'settings.json'].map(async (name) => (await fetch(name)).json()),
  ) as [unknown, Settings];
  const board = read(json);
  const [from, to] = [dateTime(settings.began * 1000), dateTime(settings.ended * 1000)];
  const timeRange = { from, to, raw: { from, to } };
  const source: Source = { url: settings.prometheus, scraped: settings.scraped, timeRange, variables: board.variables };
  const loaded = board.panels.map(
    async (panel) => [panel.id, await load(source, panel, place(panel.gridPos).width)] as const,
  );
  const data = new Map(await Promise.all(loaded));
  const theme = createTheme({ colors: { mode: 'light' } });
  await document.fonts.load('14px Inter').then(() => document.fonts.load('500 14px Inter'));
  createRoot(document.getElementById('board')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      <Whole>
        <Board board={board} data={data} timeRange={timeRange} />
      </Whole>
    </ThemeContext.Provider>,
  );
}

/** After some frames: charts are drawn in one after React's. */
async function drawn(): Promise<void> {
  await document.fonts.ready;
  for (let frame = 0; frame < 30; frame++) {
    await new Promise(requestAnimationFrame);
  }
  await fetch('drawn', { method: 'POST' });
}

function failed(error: unknown): void {
  void fetch('failed', { method: 'POST', body: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

window.addEventListener('error', ({ error, message }) => failed(error ?? message));
window.addEventListener('unhandledrejection', ({ reason }) => failed(reason));
void main();
