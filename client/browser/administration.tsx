/** Looking after a room and the hub: space, who is kept out, invites, sessions and tokens. What one may not see is not shown. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CommandName } from '../../shared/commands/index.ts';
import { Refused } from './api.ts';
import { Icon } from './icons.tsx';
import type { Fields } from './link.ts';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';
import { momentText, sizeText } from './words.ts';

export function Administration() {
  const store = useStore();
  const room = store.current.value;
  const isRoom = room !== '' && !room.startsWith('@');
  return (
    <div class="administration">
      {isRoom && <h3>{say('thisRoom')}</h3>}
      {isRoom && <RoomFacts key={room} room={room} />}
      {isRoom && <Moderation key={`moderation ${room}`} room={room} />}
      <h3>{say('wholeHub')}</h3>
      <List name="INVITES" input={{}} title={say('invites')} row={inviteRow} act={revoke('invite')} />
      <List name="SESSIONS" input={{}} title={say('sessions')} row={sessionRow} act={revoke('id')} />
      <List name="TOKENS" input={{}} title={say('tokens')} row={tokenRow} act={revoke('id')} />
      {store.me.value?.admin && (
        <>
          <List
            name="BLOCKS"
            input={{}}
            title={say('blocked')}
            row={row => `${row['user'] ?? row['address']} · ${row['text'] ?? ''}`}
            act={{
              label: say('unblock'),
              name: () => 'UNBLOCK',
              fields: ({ user, address }) => (user === undefined ? { address } : { user }),
            }}
          />
          <BlockForm />
        </>
      )}
    </div>
  );
}

interface Act {
  readonly label: string;
  readonly name: (row: Fields) => CommandName;
  readonly fields: (row: Fields) => Fields;
}

const revoke = (field: string): Act => ({
  label: say('revoke'),
  name: () => 'REVOKE',
  fields: row => ({ id: row[field] }),
});

const inviteRow = (row: Fields) =>
  [row['kind'], row['room'] && `#${row['room']}`, row['role'], `×${row['uses']}`, momentText(String(row['until']))]
    .filter(Boolean)
    .join(' · ');
const sessionRow = (row: Fields) =>
  [row['user'], row['own'] && say('you'), row['wire'], row['address'], momentText(String(row['since']))]
    .filter(Boolean)
    .join(' · ');
const tokenRow = (row: Fields) =>
  [row['user'], row['label'], row['room'] && `#${row['room']}`, row['actions'], momentText(String(row['created']))]
    .filter(Boolean)
    .join(' · ');

interface ListProps {
  readonly name: CommandName;
  readonly input: Fields;
  readonly title: string;
  readonly row: (row: Fields) => string;
  readonly act: Act;
}

function List({ name, input, title, row, act }: ListProps) {
  const store = useStore();
  const rows = useSignal<readonly Fields[] | undefined>(undefined);
  const load = () =>
    store.link.rows(name, input as never).then(
      answer => {
        rows.value = answer.rows;
      },
      error => !(error instanceof Refused && error.code === 'forbidden') && store.failed(error),
    );
  useEffect(() => void load(), []);
  if (!rows.value) return null;
  return (
    <section>
      <h4>{title}</h4>
      {rows.value.length === 0 && <p class="quiet">{say('none')}</p>}
      <ul>
        {rows.value.map(one => (
          <li key={JSON.stringify(one)}>
            <span class="grow">{row(one)}</span>
            <button
              type="button"
              class="plain"
              onClick={() =>
                void store.link
                  .request(act.name(one), act.fields(one) as never)
                  .then(load, error => store.failed(error))
              }
            >
              {act.label}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RoomFacts({ room }: { readonly room: string }) {
  const store = useStore();
  const quota = useSignal('');
  const visibility = useSignal('');
  const days = useSignal('');
  useEffect(() => {
    const { link } = store;
    link.request('QUOTA', { room }).then(
      ({ octets, used }) => {
        quota.value = say('quotaOf', {
          used: sizeText(used),
          octets: octets === 0 ? say('noLimit') : sizeText(octets),
        });
      },
      () => undefined,
    );
    link.request('VISIBILITY', { room }).then(
      answer => (visibility.value = answer.visibility),
      () => undefined,
    );
    link.request('RETENTION', { room }).then(
      answer => (days.value = String(answer.days)),
      () => undefined,
    );
  }, [room]);
  const set = (work: Promise<unknown>) =>
    work.then(
      () => store.tell(say('didThat')),
      error => store.failed(error),
    );
  return (
    <div class="form">
      <p>
        {say('quota')}: {quota.value}
      </p>
      <label>
        {say('visibility')}
        <select
          value={visibility.value}
          onChange={({ currentTarget }) =>
            void set(store.link.request('VISIBILITY', { room, visibility: currentTarget.value as 'public' }))
          }
        >
          {['public', 'listed', 'private'].map(one => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label>
        {say('retention')}
        <input
          type="number"
          min={0}
          value={days.value}
          onChange={({ currentTarget }) =>
            void set(store.link.request('RETENTION', { room, days: currentTarget.value } as Fields as never))
          }
        />
      </label>
      <button type="button" onClick={() => (store.dialog.value = 'invite')}>
        <Icon name="invite" /> {say('invite')}
      </button>
      <button type="button" onClick={() => void store.leave(room).catch(error => store.failed(error))}>
        <Icon name="out" /> {say('leave')}
      </button>
    </div>
  );
}

/** Who is banned or muted, and doing so. */
function Moderation({ room }: { readonly room: string }) {
  const changes = useSignal(0);
  return (
    <>
      <List
        key={changes.value}
        name="BANS"
        input={{ room }}
        title={say('bans')}
        row={row =>
          [row['kind'], row['user'], row['text'], row['until'] && momentText(String(row['until']))]
            .filter(Boolean)
            .join(' · ')
        }
        act={{
          label: say('unban'),
          name: ({ kind }) => (kind === 'mute' ? 'UNMUTE' : 'UNBAN'),
          fields: ({ user }) => ({ room, user }),
        }}
      />
      <PersonForm
        acts={[
          ['KICK', say('kick')],
          ['MUTE', say('mute')],
          ['BAN', say('ban')],
        ]}
        fields={(user, reason) => ({ room, user, ...(reason !== '' && { reason }) })}
        done={() => changes.value++}
      />
    </>
  );
}

function BlockForm() {
  const isAddress = /^[\d.]+$|:/;
  return (
    <PersonForm
      acts={[['BLOCK', say('block')]]}
      fields={(user, reason) => ({
        ...(isAddress.test(user) ? { address: user } : { user }),
        ...(reason !== '' && { reason }),
      })}
      done={() => undefined}
    />
  );
}

interface PersonFormProps {
  readonly acts: readonly (readonly [CommandName, string])[];
  readonly fields: (user: string, reason: string) => Fields;
  readonly done: () => void;
}

function PersonForm({ acts, fields, done }: PersonFormProps): ComponentChildren {
  const store = useStore();
  const user = useSignal('');
  const reason = useSignal('');
  const perform = (name: CommandName) =>
    store.link.request(name, fields(user.value.trim(), reason.value.trim()) as never).then(
      () => {
        user.value = '';
        store.tell(say('didThat'));
        done();
      },
      error => store.failed(error),
    );
  return (
    <div class="person-form">
      <input
        aria-label={say('name')}
        placeholder={say('name')}
        value={user.value}
        onInput={({ currentTarget }) => (user.value = currentTarget.value)}
      />
      <input
        aria-label={say('reason')}
        placeholder={say('reason')}
        value={reason.value}
        onInput={({ currentTarget }) => (reason.value = currentTarget.value)}
      />
      {acts.map(([name, label]) => (
        <button type="button" key={name} disabled={user.value.trim() === ''} onClick={() => void perform(name)}>
          {label}
        </button>
      ))}
    </div>
  );
}
