/** The message field: a draft for each room, answers and edits, commands behind a slash, completion, files by paste. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { type Completion, completionAt } from './completion.ts';
import { droppedFiles } from './dropped.ts';
import { IconButton } from './icons.tsx';
import { keep, kept, say } from './preferences.ts';
import type { Said } from './room-log.ts';
import type { Store } from './session-store.ts';
import { parseLine, slashWords } from './slash.ts';
import { useStore } from './store-context.ts';

export function Composer({ room }: { readonly room: string }) {
  const store = useStore();
  const draftKey = `draft.${room}`;
  const text = useSignal(kept(draftKey) ?? '');
  const completion = useSignal<(Completion & { readonly at: number }) | undefined>(undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const { value: editing } = store.editing;

  const write = (value: string) => {
    text.value = value;
    if (!store.editing.value) keep(draftKey, value === '' ? undefined : value);
  };

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, [room]);
  useEffect(() => {
    if (!editing) return;
    text.value = editing.text;
    field.current?.focus();
  }, [editing, text]);
  // As high as what is written, up to a third of the window.
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, innerHeight / 3)}px`;
  }, [text.value]);

  const complete = (asked: boolean) => {
    const at = field.current?.selectionStart ?? 0;
    const found = completionAt(text.value, at, candidates(store), asked);
    completion.value = found && { ...found, at: 0 };
  };
  const choose = (choice: string) => {
    const { start } = completion.value!;
    const end = field.current?.selectionStart ?? text.value.length;
    write(`${text.value.slice(0, start)}${choice} ${text.value.slice(end)}`);
    completion.value = undefined;
    field.current?.focus();
  };
  const cancel = () => {
    if (store.editing.value) text.value = kept(draftKey) ?? '';
    store.editing.value = undefined;
    store.reply.value = undefined;
  };
  const submit = () => {
    const line = text.value.trim();
    if (line === '') return;
    const edited = store.editing.value;
    if (edited) {
      cancel();
      store.link.request('EDIT', { room, of: edited.seq, text: line }).catch(error => store.failed(error));
      return;
    }
    write('');
    completion.value = undefined;
    void perform(store, room, line);
  };
  const pressed = (event: KeyboardEvent) => {
    // An input method is still choosing the characters.
    if (event.isComposing || event.keyCode === 229) return;
    const { value: open } = completion;
    const move = open && { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (open && move) completion.value = { ...open, at: (open.at + move + open.choices.length) % open.choices.length };
    else if (open && (event.key === 'Tab' || event.key === 'Enter')) choose(open.choices[open.at]!);
    else if (open && event.key === 'Escape') completion.value = undefined;
    else if (event.key === 'Tab' && !event.shiftKey && /\S$/.test(text.value)) {
      complete(true);
      if (!completion.value) return;
    } else if (event.key === 'Enter' && !event.shiftKey) submit();
    else if (event.key === 'Escape' && (store.editing.value || store.reply.value)) cancel();
    else if (event.key === 'ArrowUp' && text.value === '') {
      const last = lastOwn(store, room);
      if (last) store.editing.value = { seq: last.seq, text: last.text };
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <footer class="composer">
      <Typing room={room} />
      <Context cancel={cancel} />
      {completion.value && (
        <div class="completions" role="listbox" id="completions" aria-label={say('keyComplete')}>
          {completion.value.choices.map((choice, at) => (
            <button
              type="button"
              role="option"
              key={choice}
              aria-selected={at === completion.value?.at}
              onMouseDown={event => {
                event.preventDefault();
                choose(choice);
              }}
            >
              {choice}
            </button>
          ))}
        </div>
      )}
      <div class="composer-row">
        <AttachButton store={store} />
        <textarea
          id="message"
          ref={field}
          rows={1}
          aria-label={say('messagePlaceholder', { room: store.title(room) })}
          placeholder={say('messagePlaceholder', { room: store.title(room) })}
          value={text.value}
          onInput={({ currentTarget }) => {
            write(currentTarget.value);
            complete(false);
            if (currentTarget.value !== '' && !currentTarget.value.startsWith('/') && !store.editing.value)
              store.typed();
          }}
          onKeyDown={pressed}
          onBlur={() => (completion.value = undefined)}
          onPaste={event => pasted(store, event)}
        />
        <IconButton icon="send" kind="send" label={say('send')} onClick={submit} />
      </div>
    </footer>
  );
}

function Context({ cancel }: { readonly cancel: () => void }) {
  const store = useStore();
  const { value: reply } = store.reply;
  const { value: editing } = store.editing;
  if (!reply && !editing) return null;
  return (
    <div class="context">
      <span>{editing ? say('editing', { seq: editing.seq }) : say('replyingTo', { name: reply!.from })}</span>
      <IconButton icon="close" label={say('cancel')} onClick={cancel} />
    </div>
  );
}

function Typing({ room }: { readonly room: string }) {
  const { typing } = useStore();
  const names = [...(typing.value.get(room)?.keys() ?? [])];
  return (
    <p class="typing" aria-live="polite">
      {names.length === 0
        ? ''
        : say(names.length === 1 ? 'isTyping' : 'areTyping', { names: names.slice(0, 3).join(', ') })}
    </p>
  );
}

function AttachButton({ store }: { readonly store: Store }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="attach" label={say('attach')} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          const folder = store.folder.value;
          store.uploads.add([...(currentTarget.files ?? [])].map(file => ({ file, path: `${folder}/${file.name}` })));
          currentTarget.value = '';
        }}
      />
    </>
  );
}

function pasted(store: Store, event: ClipboardEvent): void {
  const data = event.clipboardData;
  if (!data || data.files.length === 0) return;
  event.preventDefault();
  void droppedFiles(data, store.folder.value).then(files => store.uploads.add(files.map(withOwnName)));
}

/** Every pasted picture is called image.png: the time tells them apart. */
function withOwnName({ file, path }: { readonly file: File; readonly path: string }) {
  if (file.name !== 'image.png') return { file, path };
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '.');
  return { file, path: path.replace(/image\.png$/, `image ${time}.png`) };
}

function candidates(store: Store) {
  const log = store.historyOf(store.current.value).log.value;
  const files = (log?.entries ?? []).flatMap(entry =>
    entry.event === 'FILE' && entry.op === 'put' ? [entry.path] : [],
  );
  return {
    people: store.names.value.map(({ user }) => user),
    rooms: [...store.rooms.value.keys()].filter(room => !room.startsWith('@')),
    commands: slashWords,
    files: [...new Set(files)].map(path => path.slice(path.lastIndexOf('/') + 1)),
  };
}

function lastOwn(store: Store, room: string): Said | undefined {
  const log = store.historyOf(room).log.value;
  const own = log?.entries.findLast(one => one.event === 'MSG' && one.from === store.name.value && !one.deleted);
  return own?.event === 'MSG' ? own : undefined;
}

/** Says the line, or does what it asks for. */
async function perform(store: Store, room: string, line: string): Promise<void> {
  const meant = parseLine(line, room, store.folder.value);
  if (meant.kind === 'text') {
    const reply = store.reply.value?.seq;
    store.reply.value = undefined;
    store.outbox.add(room, meant.text, reply);
    return;
  }
  try {
    if (meant.kind === 'unknown') store.tell(say('unknownCommand', { name: meant.name }), true);
    else if (meant.kind === 'local') await performHere(store, room, meant.name, meant.rest);
    else {
      await store.link.request(meant.name, meant.fields as never);
      if (meant.name === 'TELL') await store.open(`@${meant.fields['user']}`);
      else if (meant.name === 'CREATE') await store.open(meant.fields['room']!);
      else store.tell(say('didThat'));
    }
  } catch (error) {
    store.failed(error);
  }
}

async function performHere(store: Store, room: string, name: string, rest: string): Promise<void> {
  if (name === 'join') await store.open(rest.replace(/^#/, ''));
  else if (name === 'search') store.panel.value = 'search';
  else if (name === 'invite') store.dialog.value = 'invite';
  else if (name === 'help') store.dialog.value = 'keyboard';
  else await store.leave(room);
}
