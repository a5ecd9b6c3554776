/** What opens above the page: going somewhere, the keys, settings, a new room, an invite. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Key } from './catalogue.ts';
import { IconButton } from './icons.tsx';
import { InviteForm } from './invite.tsx';
import { chooseLanguage, type Language, language, languages, say, type Theme, theme, themes } from './preferences.ts';
import type { Dialog as DialogName } from './session-store.ts';
import { useStore } from './store-context.ts';

const titles: Readonly<Record<DialogName, Key>> = {
  switcher: 'switchRoom',
  keyboard: 'keyboard',
  settings: 'settings',
  'new-room': 'newRoom',
  invite: 'invite',
};

const contents: Readonly<Record<DialogName, () => ComponentChildren>> = {
  switcher: () => <Switcher />,
  keyboard: () => <Keyboard />,
  settings: () => <Settings />,
  'new-room': () => <NewRoom />,
  invite: () => <InviteForm />,
};

export function Dialogs() {
  const { dialog } = useStore();
  const { value: shown } = dialog;
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    if (!shown || !element.current) return;
    element.current.showModal();
    element.current.querySelector<HTMLElement>('input, select')?.focus();
  }, [shown]);
  if (!shown) return null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the Escape key closes every dialog.
    <dialog
      ref={element}
      key={shown}
      aria-label={say(titles[shown])}
      onClose={() => (dialog.value = undefined)}
      onClick={({ target, currentTarget }) => target === currentTarget && currentTarget.close()}
    >
      <div class="dialog">
        <header>
          <h2>{say(titles[shown])}</h2>
          <IconButton icon="close" label={say('close')} onClick={() => element.current?.close()} />
        </header>
        {contents[shown]()}
      </div>
    </dialog>
  );
}

function Switcher() {
  const store = useStore();
  const text = useSignal('');
  const at = useSignal(0);
  // Rooms that others have made meanwhile.
  useEffect(() => void store.refreshRooms().catch(() => undefined), [store]);
  const wanted = text.value.toLowerCase().replace(/^#/, '');
  const rooms = [...store.rooms.value.keys()].map(room => ({ room, title: store.title(room) }));
  const people = store.names.value
    .filter(({ user, guest }) => user !== store.name.value && !guest)
    .map(({ user }) => ({ room: `@${user}`, title: `@${user}` }))
    .filter(({ title }) => !rooms.some(one => one.title === title));
  const all = [...rooms, ...people].filter(({ title }) => title.toLowerCase().includes(wanted)).slice(0, 12);
  const go = (room: string | undefined) => {
    if (room === undefined) return;
    store.dialog.value = undefined;
    void store.open(room);
  };
  return (
    <>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="switcher-list"
        aria-activedescendant={all[at.value] && `switch-${at.value}`}
        aria-label={say('switchRoom')}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={event => {
          if (event.isComposing) return;
          if (event.key === 'Enter') go(all[at.value]?.room ?? (wanted === '' ? undefined : wanted));
          else if (event.key === 'ArrowDown') at.value = Math.min(all.length - 1, at.value + 1);
          else if (event.key === 'ArrowUp') at.value = Math.max(0, at.value - 1);
          else return;
          event.preventDefault();
        }}
      />
      <div class="choices" id="switcher-list" role="listbox" aria-label={say('rooms')}>
        {all.map(({ room, title }, index) => (
          <button
            type="button"
            role="option"
            tabIndex={-1}
            key={room}
            id={`switch-${index}`}
            aria-selected={index === at.value}
            onClick={() => go(room)}
          >
            {title}
          </button>
        ))}
      </div>
    </>
  );
}

const keyMap: readonly (readonly [keys: readonly string[], key: Key])[] = [
  [['Ctrl', 'K'], 'keySwitch'],
  [['Alt', '↑ ↓'], 'keyNextRoom'],
  [['Ctrl', 'F'], 'keySearch'],
  [['Enter'], 'keySend'],
  [['Shift', 'Enter'], 'keyNewLine'],
  [['↑'], 'keyEditLast'],
  [['Tab'], 'keyComplete'],
  [['Esc'], 'keyEscape'],
  [['?'], 'keyHelp'],
];

function Keyboard() {
  return (
    <dl class="keys">
      {keyMap.map(([keys, key]) => (
        <div key={key}>
          <dt>
            {keys.map(one => (
              <kbd key={one}>{one}</kbd>
            ))}
          </dt>
          <dd>{say(key)}</dd>
        </div>
      ))}
    </dl>
  );
}

const themeNames: Readonly<Record<Theme, Key>> = {
  auto: 'themeAuto',
  light: 'themeLight',
  dark: 'themeDark',
  contrast: 'themeContrast',
};

function Settings() {
  const store = useStore();
  return (
    <div class="form">
      <label>
        {say('theme')}
        <select value={theme.value} onChange={({ currentTarget }) => (theme.value = currentTarget.value as Theme)}>
          {themes.map(one => (
            <option key={one} value={one}>
              {say(themeNames[one])}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say('language')}
        <select
          value={language.value}
          onChange={({ currentTarget }) => chooseLanguage(currentTarget.value as Language)}
        >
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => (store.dialog.value = 'keyboard')}>
        {say('keyboard')}
      </button>
      <a href="/docs/" target="_blank" rel="noopener">
        {say('docs')}
      </a>
    </div>
  );
}

function NewRoom() {
  const store = useStore();
  const fault = useSignal('');
  const create = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await store.create(String(fields.get('room')).replace(/^#/, ''), String(fields.get('topic')));
      store.dialog.value = undefined;
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <form class="form" onSubmit={create}>
      <label>
        {say('roomName')}
        <input name="room" required maxLength={32} autocapitalize="off" />
      </label>
      <label>
        {say('setTopic')}
        <input name="topic" maxLength={300} />
      </label>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <button type="submit" class="primary">
        {say('create')}
      </button>
    </form>
  );
}
