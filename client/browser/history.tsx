/** A room's messages in a window that grows at both ends and never jumps under the reader. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { MarkedText } from './marked-text.tsx';
import { EntryView } from './message.tsx';
import { say } from './preferences.ts';
import { type Entry, linesOf } from './room-log.ts';
import { useStore } from './store-context.ts';
import { dayText } from './words.ts';

/** So near to an end, more is asked for. */
const nearPx = 1_200;
const endPx = 40;

export function History({ room }: { readonly room: string }) {
  const store = useStore();
  const history = store.historyOf(room);
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useSignal(true);
  const anchor = useRef<{ readonly id: string; readonly top: number } | undefined>(undefined);
  const shown = useRef<{ readonly room: string; to: number }>({ room, to: 0 });
  const { value: log } = history.log;
  const { value: wanted } = history.wanted;
  const lines = useComputed(() => {
    const current = history.log.value;
    return current ? linesOf(current, store.readAtOpening.value, store.name.value) : [];
  });
  const bySeq = new Map<number, Entry>(log?.entries.map(entry => [entry.seq, entry]));

  const seen = () => {
    const atEnd = isAtEnd.value && history.log.value?.atEnd === true;
    if (atEnd && document.visibilityState === 'visible' && document.hasFocus()) store.seen(room);
  };

  const scrolled = () => {
    const element = box.current;
    if (!element) return;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    isAtEnd.value = below < endPx && history.log.value?.atEnd !== false;
    anchor.current = isAtEnd.value ? undefined : anchorIn(element);
    if (element.scrollTop < nearPx) void history.older().catch(() => undefined);
    if (below < nearPx) void history.newer().catch(() => undefined);
    seen();
  };

  // What was read stays where it was; at the end the newest is shown.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !log) return;
    const target = wanted === undefined ? null : element.querySelector(`#m${wanted}`);
    if (target) {
      target.scrollIntoView({ block: 'center' });
      history.wanted.value = undefined;
      (target as HTMLElement).classList.add('is-wanted');
      (target as HTMLElement).focus({ preventScroll: true });
      anchor.current = anchorIn(element);
    } else if (anchor.current) {
      const kept = element.querySelector(`#${CSS.escape(anchor.current.id)}`);
      if (kept) element.scrollTop += kept.getBoundingClientRect().top - anchor.current.top;
    } else element.scrollTop = element.scrollHeight;
    shown.current.to = log.to;
    scrolled();
  }, [log, wanted]);

  // A picture that has come, or the keyboard of a phone, does not push the newest out of sight.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (!anchor.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    observer.observe(element.firstElementChild!);
    const watched = () => seen();
    addEventListener('focus', watched);
    return () => {
      observer.disconnect();
      removeEventListener('focus', watched);
    };
  }, [room]);

  const toNewest = () => {
    anchor.current = undefined;
    isAtEnd.value = true;
    if (log?.atEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
    else void history.newest(store.info.value?.last ?? 0).catch(error => store.failed(error));
  };

  return (
    <div class="history-frame">
      <div
        class="history"
        ref={box}
        onScroll={scrolled}
        role="log"
        aria-label={say('history', { room: store.title(room) })}
        tabIndex={0}
      >
        <div class="history-lines">
          {!log && <p class="quiet notes">{say('loading')}</p>}
          {log?.atStart && (
            <p class="quiet notes">
              {say('beginning', { room: store.title(room) })} {log.entries.length === 0 && say('nothingYet')}
            </p>
          )}
          {lines.value.map(line =>
            line.kind === 'entry' ? (
              <EntryView
                key={line.key}
                store={store}
                entry={line.entry}
                isFollowUp={line.isFollowUp}
                isWanted={false}
                answered={line.entry.event === 'MSG' ? bySeq.get(line.entry.reply ?? -1) : undefined}
              />
            ) : (
              <div key={line.key} class={line.kind === 'day' ? 'day' : 'unread-line'}>
                <span>{line.kind === 'day' ? dayText(line.time) : say('unread')}</span>
              </div>
            ),
          )}
          <Pending room={room} />
        </div>
      </div>
      {!isAtEnd.value && (
        <button type="button" class="to-newest" onClick={toNewest}>
          <Icon name="down" /> {say('toNewest')}
        </button>
      )}
    </div>
  );
}

/** The first entry in sight, and where it stands. */
function anchorIn(element: HTMLElement): { readonly id: string; readonly top: number } | undefined {
  const { top } = element.getBoundingClientRect();
  for (const entry of element.querySelectorAll<HTMLElement>('article')) {
    const place = entry.getBoundingClientRect();
    if (place.bottom > top) return { id: entry.id, top: place.top };
  }
  return undefined;
}

/** What was typed and is not in the room yet. */
function Pending({ room }: { readonly room: string }) {
  const { outbox, name } = useStore();
  return (
    <>
      {outbox.waiting.value
        .filter(one => one.room === room)
        .map(one => (
          <div key={one.id} class={`entry is-pending ${one.refusal ? 'is-refused' : ''}`}>
            <div class="gutter" />
            <div class="body">
              <MarkedText text={one.text} me={name.value} />
              <small class="quiet">
                {one.refusal ? say('notSent', { reason: one.refusal }) : say('sending')}
                {one.refusal && (
                  <button type="button" class="plain" onClick={() => outbox.discard(one.id)}>
                    {say('remove')}
                  </button>
                )}
              </small>
            </div>
          </div>
        ))}
    </>
  );
}
