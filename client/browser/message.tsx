/** One entry of a room: what somebody said with what can be done about it, a file, a topic. */
import { useSignal } from '@preact/signals';
import { Component } from 'preact';
import { Avatar } from './avatar.tsx';
import { FileCard } from './file-card.tsx';
import { Icon, IconButton } from './icons.tsx';
import { MarkedText } from './marked-text.tsx';
import { say } from './preferences.ts';
import { type Entry, reactionsOf, type Said } from './room-log.ts';
import type { Store } from './session-store.ts';
import { clockText, hueOf, momentText } from './words.ts';

interface EntryProps {
  readonly store: Store;
  readonly entry: Entry;
  readonly isFollowUp: boolean;
  readonly isWanted: boolean;
  /** The message it answers, where it is loaded. */
  readonly answered: Entry | undefined;
}

/** Drawn again only when what it shows has changed: a room has hundreds. */
export class EntryView extends Component<EntryProps> {
  override shouldComponentUpdate(next: EntryProps): boolean {
    const { entry, isFollowUp, isWanted, answered } = this.props;
    return (
      next.entry !== entry || next.isFollowUp !== isFollowUp || next.isWanted !== isWanted || next.answered !== answered
    );
  }

  override render({ entry, isFollowUp, isWanted, answered, store }: EntryProps) {
    const isNamed = entry.event === 'MSG' && entry.text.toLowerCase().includes(`@${store.name.value.toLowerCase()}`);
    return (
      <article
        id={`m${entry.seq}`}
        class={`entry ${isFollowUp ? 'is-follow-up' : ''} ${isWanted ? 'is-wanted' : ''} ${isNamed ? 'is-named' : ''}`}
        aria-label={`${entry.from}, ${clockText(entry.time)}`}
        tabIndex={-1}
      >
        <div class="gutter">{isFollowUp ? <Time entry={entry} store={store} /> : <Avatar name={entry.from} />}</div>
        <div class="body">
          {!isFollowUp && (
            <header>
              <b class={`who hue-${hueOf(entry.from)}`}>{entry.from}</b>
              {entry.guest && <span class="tag">{say('guest')}</span>}
              <Time entry={entry} store={store} />
            </header>
          )}
          {entry.event === 'MSG' ? (
            <SaidView said={entry} store={store} answered={answered} />
          ) : entry.event === 'FILE' ? (
            <FileCard file={entry} store={store} />
          ) : (
            <p class="quiet">{say('setTopicTo', { text: entry.text })}</p>
          )}
        </div>
      </article>
    );
  }
}

function Time({ entry, store }: { readonly entry: Entry; readonly store: Store }) {
  const { room, seq, time } = entry;
  return (
    <a
      class="time"
      href={`#${encodeURIComponent(room)}/${seq}`}
      title={`${momentText(time)} · #${seq}`}
      onClick={event => {
        event.preventDefault();
        void store.open(room, seq);
      }}
    >
      <time dateTime={time}>{clockText(time)}</time>
    </a>
  );
}

interface SaidProps {
  readonly said: Said;
  readonly store: Store;
  readonly answered: Entry | undefined;
}

function SaidView({ said, store, answered }: SaidProps) {
  const { room, seq, reply } = said;
  return (
    <>
      {reply !== undefined && (
        <button type="button" class="answered" onClick={() => void store.open(room, reply)}>
          <Icon name="reply" />
          {answered?.event === 'MSG' ? (
            <>
              <b>{answered.from}</b> <span>{answered.deleted ? say('deleted') : answered.text.slice(0, 120)}</span>
            </>
          ) : (
            <span>#{reply}</span>
          )}
        </button>
      )}
      {said.deleted ? <p class="quiet">{say('deleted')}</p> : <MarkedText text={said.text} me={store.name.value} />}
      {said.edited && !said.deleted && (
        <small class="quiet" title={momentText(said.edited)}>
          ({say('edited')})
        </small>
      )}
      <Reactions said={said} store={store} />
      {!said.deleted && <Actions said={said} store={store} key={seq} />}
    </>
  );
}

function react(store: Store, { room, seq }: Said, emoji: string): void {
  store.link.request('REACT', { room, of: seq, emoji }).catch(error => store.failed(error));
}

function Reactions({ said, store }: { readonly said: Said; readonly store: Store }) {
  const all = reactionsOf(said);
  if (all.length === 0) return null;
  return (
    <div class="reactions">
      {all.map(([emoji, count]) => (
        <button type="button" key={emoji} onClick={() => react(store, said, emoji)} aria-label={`${emoji} ${count}`}>
          {emoji} <span>{count}</span>
        </button>
      ))}
    </div>
  );
}

const quickReactions = ['👍', '❤️', '😂', '🎉', '👀', '✅'];

function Actions({ said, store }: { readonly said: Said; readonly store: Store }) {
  const isReacting = useSignal(false);
  const { room, seq, from } = said;
  const isMine = from === store.name.value && !said.guest === !store.me.value?.guest;
  if (isReacting.value) {
    return (
      <div class="actions is-open">
        {quickReactions.map(emoji => (
          <button
            type="button"
            class="icon-button"
            key={emoji}
            aria-label={`${say('react')} ${emoji}`}
            onClick={() => {
              isReacting.value = false;
              react(store, said, emoji);
            }}
          >
            {emoji}
          </button>
        ))}
        <IconButton icon="close" label={say('close')} onClick={() => (isReacting.value = false)} />
      </div>
    );
  }
  const answer = () => {
    store.reply.value = { seq, from };
    document.querySelector<HTMLElement>('#message')?.focus();
  };
  const remove = () => {
    if (!confirm(say('removeMessage', { seq }))) return;
    store.link.request('DELETE', { room, of: seq }).catch(error => store.failed(error));
  };
  return (
    <div class="actions">
      <IconButton icon="smile" label={say('react')} onClick={() => (isReacting.value = true)} />
      <IconButton icon="reply" label={say('reply')} onClick={answer} />
      {isMine && (
        <IconButton icon="edit" label={say('edit')} onClick={() => (store.editing.value = { seq, text: said.text })} />
      )}
      {isMine && <IconButton icon="bin" label={say('remove')} onClick={remove} />}
      <IconButton
        icon="link"
        label={say('copyLink')}
        onClick={() => copy(store, `${location.origin}/#${encodeURIComponent(room)}/${seq}`)}
      />
    </div>
  );
}

/** The clipboard is withheld from pages without TLS: the older way then. */
export function copy(store: Store, text: string): void {
  const done = () => store.tell(say('copied'));
  if (navigator.clipboard) return void navigator.clipboard.writeText(text).then(done, error => store.failed(error));
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  done();
}
