/** What stands beside the chat, one at a time. */
import type { ComponentChildren } from 'preact';
import { Administration } from './administration.tsx';
import { Files } from './files.tsx';
import { IconButton } from './icons.tsx';
import { People } from './people.tsx';
import { say } from './preferences.ts';
import { Search } from './search.tsx';
import type { Panel } from './session-store.ts';
import { useStore } from './store-context.ts';
import { Wire } from './wire.tsx';

const contents: Readonly<Record<Panel, () => ComponentChildren>> = {
  people: () => <People />,
  files: () => <Files />,
  search: () => <Search />,
  wire: () => <Wire />,
  administration: () => <Administration />,
};

export function SidePanel() {
  const { panel } = useStore();
  const { value: shown } = panel;
  if (!shown) return null;
  return (
    <aside class="panel" aria-label={say(shown)}>
      <header>
        <h2>{say(shown)}</h2>
        <IconButton icon="close" label={say('close')} onClick={() => (panel.value = undefined)} />
      </header>
      <div class="panel-content">{contents[shown]()}</div>
    </aside>
  );
}
