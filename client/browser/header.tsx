/** The line above the messages: the room, its topic, and what can stand beside the chat. */
import { useSignal } from '@preact/signals';
import { IconButton } from './icons.tsx';
import { say } from './preferences.ts';
import type { Panel } from './session-store.ts';
import { useStore } from './store-context.ts';

export function Header() {
  const store = useStore();
  const { value: room } = store.current;
  const isRoom = room !== '' && !room.startsWith('@');
  const toggle = (panel: Panel) => {
    store.panel.value = store.panel.value === panel ? undefined : panel;
  };
  return (
    <header class="header">
      <IconButton icon="menu" kind="only-narrow" label={say('menu')} onClick={() => (store.drawer.value = true)} />
      <div class="header-title">
        <h1>{room === '' ? '' : store.title(room)}</h1>
        {isRoom && <Topic room={room} />}
      </div>
      <div class="buttons">
        <IconButton
          icon="people"
          label={say('people')}
          pressed={store.panel.value === 'people'}
          onClick={() => toggle('people')}
        />
        <IconButton
          icon="files"
          label={say('files')}
          pressed={store.panel.value === 'files'}
          onClick={() => toggle('files')}
        />
        <IconButton
          icon="search"
          label={say('search')}
          pressed={store.panel.value === 'search'}
          onClick={() => toggle('search')}
        />
        <IconButton
          icon="wire"
          kind="only-wide"
          label={say('wire')}
          pressed={store.panel.value === 'wire'}
          onClick={() => toggle('wire')}
        />
        <IconButton
          icon="shield"
          kind="only-wide"
          label={say('administration')}
          pressed={store.panel.value === 'administration'}
          onClick={() => toggle('administration')}
        />
      </div>
    </header>
  );
}

function Topic({ room }: { readonly room: string }) {
  const store = useStore();
  const isEditing = useSignal(false);
  const topic = store.info.value?.topic ?? '';
  if (!isEditing.value) {
    return (
      <button
        type="button"
        class="topic"
        title={`${topic}\n${say('setTopic')}`}
        onClick={() => (isEditing.value = true)}
      >
        {topic === '' ? say('noTopic') : topic}
      </button>
    );
  }
  const save = (event: Event, text: string) => {
    event.preventDefault();
    isEditing.value = false;
    if (text !== topic) store.link.request('TOPIC', { room, topic: text }).catch(error => store.failed(error));
  };
  return (
    <input
      class="topic"
      aria-label={say('setTopic')}
      maxLength={300}
      autofocus
      ref={input => input?.focus()}
      defaultValue={topic}
      onBlur={() => (isEditing.value = false)}
      onKeyDown={event => {
        if (event.isComposing) return;
        if (event.key === 'Enter') save(event, event.currentTarget.value);
        if (event.key === 'Escape') isEditing.value = false;
      }}
    />
  );
}
