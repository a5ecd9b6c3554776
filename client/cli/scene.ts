/** What a scene bears out: states in their order, where they were seen, and what was not seen. */
import type { Scene } from './stage.ts';

export type Side = 'client' | 'server';

/** States of one end in the order in which they were seen, each as often as it was entered. */
export function statesOf({ events }: Scene, side: Side): readonly string[] {
  const states = events
    .filter(event => event.kind === 'state' && event.side === side)
    .map(event => String(event['state']));
  return states.filter((state, i) => state !== states[i - 1]);
}

export function hasSegments({ events }: Scene): boolean {
  return events.some(({ kind }) => kind === 'segment');
}

export function hasStates({ events }: Scene): boolean {
  return events.some(({ kind }) => kind === 'state');
}

/** `client  ESTABLISHED → FIN_WAIT_1`, for both ends. */
export function stateLines(scene: Scene): readonly string[] {
  return (['client', 'server'] as const).map(side => `  ${side}  ${statesOf(scene, side).join(' → ') || '-'}`);
}

/** Where the states come from, in words. */
export function whereStates({ events }: Scene): Readonly<Record<'en' | 'zh', string>> {
  const isTraced = events.some(({ kind, source }) => kind === 'state' && source === 'trace');
  return isTraced
    ? { en: 'the kernel’s tracepoint, as each state began', zh: '内核的跟踪点，每个状态一开始就报告' }
    : { en: 'the kernel’s own table (/proc/net/tcp)', zh: '内核自己的连接表（/proc/net/tcp）' };
}

/** Which of these states were seen on that side, and which were not. */
export function sought(scene: Scene, wanted: Readonly<Record<Side, readonly string[]>>) {
  const all = (['client', 'server'] as const).flatMap(side => wanted[side].map(state => ({ side, state })));
  const isSeen = ({ side, state }: { side: Side; state: string }) => statesOf(scene, side).includes(state);
  return { seen: all.filter(isSeen), missed: all.filter(one => !isSeen(one)) };
}
