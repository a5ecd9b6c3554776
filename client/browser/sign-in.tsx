/** The door: a name, with a password or as a guest, or what an invite lets one do. */
import { useSignal } from '@preact/signals';
import { command, Refused } from './api.ts';
import { keep, kept, say } from './preferences.ts';
import { useStore } from './store-context.ts';

interface Invitation {
  readonly invite: string;
  readonly kind: string;
  readonly room: string | undefined;
}

/** `#invite=…&kind=account&room=den`; `#setup=…` is the first account. */
function invitation(): Invitation | undefined {
  const fields = new URLSearchParams(location.hash.slice(1));
  const setup = fields.get('setup');
  if (setup) return { invite: setup, kind: 'setup', room: undefined };
  const invite = fields.get('invite');
  return invite ? { invite, kind: fields.get('kind') ?? 'guest', room: fields.get('room') ?? undefined } : undefined;
}

export function SignIn() {
  const store = useStore();
  const invited = invitation();
  const user = useSignal(kept('guest') ?? '');
  const password = useSignal('');
  const fault = useSignal('');
  const isBusy = useSignal(false);
  const makesAccount = invited !== undefined && invited.kind !== 'guest';

  const enter = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    fault.value = '';
    try {
      const isGuest = await knock(user.value.trim(), password.value, invited);
      keep('guest', isGuest ? user.value.trim() : undefined);
      keep('invite', isGuest ? invited?.invite : undefined);
      if (invited) location.hash = invited.room ? `#${encodeURIComponent(invited.room)}` : '';
      store.link.retry();
    } catch (error) {
      fault.value = (error as Error).message;
      const wantsPassword = error instanceof Refused && error.isAccount;
      if (wantsPassword) document.querySelector<HTMLElement>('#password')?.focus();
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <main class="door">
      <form class="card" onSubmit={enter}>
        <h1>
          <span class="mark" aria-hidden="true" /> {location.hostname}
        </h1>
        <p class="quiet">{greeting(invited)}</p>
        <label>
          {say('name')}
          <input
            name="username"
            autocomplete="username"
            autocapitalize="off"
            spellcheck={false}
            required
            maxLength={32}
            autofocus
            value={user.value}
            onInput={({ currentTarget }) => (user.value = currentTarget.value)}
          />
        </label>
        <label>
          {say('password')}
          <input
            id="password"
            type="password"
            name="password"
            autocomplete={makesAccount ? 'new-password' : 'current-password'}
            required={makesAccount}
            aria-describedby={makesAccount ? undefined : 'password-hint'}
            value={password.value}
            onInput={({ currentTarget }) => (password.value = currentTarget.value)}
          />
          {!makesAccount && (
            <small id="password-hint" class="quiet">
              {say('optionalPassword')}
            </small>
          )}
        </label>
        <p class="fault" role="alert">
          {fault.value}
        </p>
        <button type="submit" class="primary" disabled={isBusy.value}>
          {makesAccount ? say('makeAccount') : password.value === '' ? say('enterAsGuest') : say('signIn')}
        </button>
        <a class="quiet" href="/docs/">
          {say('docs')}
        </a>
      </form>
    </main>
  );
}

function greeting(invited: Invitation | undefined): string {
  if (!invited) return say('welcome');
  if (invited.kind === 'setup') return say('setUp');
  return invited.room ? say('invitedTo', { room: invited.room }) : say('invited');
}

/** True if one is a guest now. Errors: Refused, Offline. */
async function knock(user: string, password: string, invited: Invitation | undefined): Promise<boolean> {
  const invite = invited && { invite: invited.invite };
  if (invited && invited.kind !== 'guest') await command('REGISTER', { user, password, ...invite });
  else if (password !== '') await command('LOGIN', { user, password });
  else await command('NICK', { user, ...invite });
  return password === '';
}
