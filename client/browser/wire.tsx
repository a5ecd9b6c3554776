/** The wire view beside the chat: one's own connections, and what happens on them, drawn between two lifelines as it comes. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { WireDrawing, type WireEvent, wireEventOf } from '../../shared/wire-lines.ts';
import type { Fields } from './link.ts';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';

/** What is drawn at most; the oldest goes. */
const rowsMax = 400;
const rowHeight = 24;
const [width, left, right] = [690, 140, 580];

interface Row {
  readonly t: number;
  readonly conn: string;
  /** States of the ends. */
  readonly client?: string;
  readonly server?: string;
  /** What crosses, and from whom; without one it concerns the connection. */
  readonly words?: string;
  readonly from?: 'client' | 'server';
}

export function Wire() {
  const store = useStore();
  const connections = useSignal<readonly Fields[]>([]);
  const which = useSignal('');
  const watching = useSignal<AbortController | undefined>(undefined);
  const sources = useSignal('');
  const rows = useSignal<readonly Row[]>([]);

  const list = async () => {
    connections.value = (await store.link.rows('WIRE', {})).rows;
  };
  const stop = () => watching.value?.abort();
  const watch = async () => {
    const abort = new AbortController();
    const drawing = new WireDrawing();
    watching.value = abort;
    rows.value = [];
    const take = (fields: Fields) => {
      if (fields['sources'] !== undefined) sources.value = String(fields['sources']);
      const event = wireEventOf(fields);
      if (event) rows.value = added(rows.value, event, drawing);
    };
    const input = { do: 'watch', ...(which.value !== '' && { which: which.value }) } as const;
    await store.link
      .request('WIRE', input, take, abort.signal)
      .catch(error => abort.signal.aborted || store.failed(error));
    watching.value = undefined;
  };
  useEffect(() => {
    list().catch(error => store.failed(error));
    return stop;
  }, []);

  return (
    <>
      <p class="quiet">{say('wireAbout')}</p>
      <div class="wire-choice">
        <select aria-label={say('connection')} onChange={({ currentTarget }) => (which.value = currentTarget.value)}>
          <option value="">{say('allConnections')}</option>
          {connections.value.map(one => (
            <option key={one['id']} value={String(one['id'])}>{`${one['id']} ${one['peer']}`}</option>
          ))}
        </select>
        <button type="button" class="primary" onClick={() => (watching.value ? stop() : void watch())}>
          {say(watching.value ? 'stopWatching' : 'watch')}
        </button>
      </div>
      {sources.value !== '' && <p class="quiet">{say('seenBy', { sources: sources.value })}</p>}
      <Lifelines rows={rows.value} />
    </>
  );
}

function Lifelines({ rows }: { readonly rows: readonly Row[] }) {
  const height = (rows.length + 1) * rowHeight;
  return (
    <div class="wire" role="log" aria-label={say('wire')} tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={say('wire')}>
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8Z" />
          </marker>
        </defs>
        <path class="lifeline" d={`M${left} ${rowHeight}V${height}M${right} ${rowHeight}V${height}`} />
        <text x={left} y={16} text-anchor="middle">
          {say('client')}
        </text>
        <text x={right} y={16} text-anchor="middle">
          {say('server')}
        </text>
        {rows.map((row, i) => (
          <RowOf key={`${row.t} ${i}`} row={row} y={(i + 1) * rowHeight + 16} />
        ))}
      </svg>
    </div>
  );
}

function RowOf({ row, y }: { readonly row: Row; readonly y: number }) {
  const { t, conn, client, server, words, from } = row;
  const arrow = from === 'client' ? `M${left} ${y + 3}H${right}` : `M${right} ${y + 3}H${left}`;
  return (
    <g>
      <title>{`${conn} ${t.toFixed(2)} ms ${words ?? ''}`}</title>
      <text class="time" x={2} y={y}>
        {t.toFixed(1)}
      </text>
      {client && (
        <text class="state" x={left - 6} y={y} text-anchor="end">
          {client}
        </text>
      )}
      {server && (
        <text class="state" x={right + 6} y={y}>
          {server}
        </text>
      )}
      {from && <path class="arrow" d={arrow} marker-end="url(#tip)" />}
      {words && (
        <text class={from ? 'words' : 'words quiet'} x={(left + right) / 2} y={y - 2} text-anchor="middle">
          {words.length > 62 ? `${words.slice(0, 61)}…` : words}
        </text>
      )}
    </g>
  );
}

/** Both ends' states of one look are one row. */
function added(rows: readonly Row[], event: WireEvent, drawing: WireDrawing): readonly Row[] {
  const { t, conn, kind } = event;
  const side = event.side === 'client' ? 'client' : 'server';
  if (kind === 'state') {
    const last = rows.at(-1);
    const state = { [side]: String(event['state']) };
    const isOneLook =
      last && last.t === t && last.conn === conn && last.words === undefined && last[side] === undefined;
    return isOneLook
      ? [...rows.slice(0, -1), { ...last, ...state }]
      : [...rows.slice(1 - rowsMax), { t, conn, ...state }];
  }
  const words = drawing.words(event);
  if (words === undefined) return rows;
  const crosses = kind === 'segment' || kind === 'message' || kind === 'half-close';
  return [...rows.slice(1 - rowsMax), { t, conn, words, ...(crosses && { from: side }) }];
}
