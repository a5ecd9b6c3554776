/** Finding messages and files in all rooms; each result leads to its place. */
import { useSignal } from '@preact/signals';
import type { Fields } from './link.ts';
import { say } from './preferences.ts';
import type { Entry } from './room-log.ts';
import { useStore } from './store-context.ts';
import { momentText } from './words.ts';

export function Search() {
  const store = useStore();
  const query = useSignal('');
  const found = useSignal<readonly Entry[] | undefined>(undefined);
  const fault = useSignal('');
  const look = async (event: Event) => {
    event.preventDefault();
    fault.value = '';
    try {
      const { rows } = await store.link.rows('SEARCH', { query: query.value, limit: 100 } as Fields as never);
      found.value = (rows as unknown as Entry[]).toReversed();
    } catch (error) {
      found.value = undefined;
      fault.value = (error as Error).message;
    }
  };
  return (
    <>
      <form onSubmit={look}>
        <input
          type="search"
          aria-label={say('search')}
          aria-describedby="search-hint"
          placeholder={say('searchPlaceholder')}
          ref={input => input?.focus()}
          value={query.value}
          onInput={({ currentTarget }) => (query.value = currentTarget.value)}
        />
        <small id="search-hint" class="quiet">
          {say('searchHint')}
        </small>
      </form>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <p class="quiet" role="status">
        {found.value && (found.value.length === 0 ? say('nothingFound') : say('found', { count: found.value.length }))}
      </p>
      <ol class="found">
        {found.value?.map(entry => (
          <li key={`${entry.room}/${entry.seq}`}>
            <button type="button" onClick={() => void store.open(entry.room, entry.seq)}>
              <small class="quiet">
                {store.title(entry.room)} · {entry.from} · {momentText(entry.time)}
              </small>
              <span>{entry.event === 'FILE' ? entry.path : entry.text.slice(0, 240)}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}
