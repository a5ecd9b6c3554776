/** Making an invite: a link for a browser, and the same as a QR code. */
import { useSignal } from '@preact/signals';
import { encode } from 'uqr';
import { copy } from './message.tsx';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';
import { momentText } from './words.ts';

interface Made {
  readonly link: string;
  readonly uses: number;
  readonly until: string;
}

export function InviteForm() {
  const store = useStore();
  const made = useSignal<Made | undefined>(undefined);
  const fault = useSignal('');
  const room = store.current.value;
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const kind = String(fields.get('kind')) as 'guest' | 'account';
    const role = String(fields.get('role')) as 'member';
    try {
      const uses = Number(fields.get('uses'));
      const { invite, until, uses: times } = await store.link.request('INVITE', { room, kind, role, uses });
      const link = `${location.origin}/#${new URLSearchParams({ invite, kind, room })}`;
      made.value = { link, uses: times, until };
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  if (made.value) return <InviteLink {...made.value} />;
  return (
    <form class="form" onSubmit={make}>
      <label>
        {say('inviteKind')}
        <select name="kind">
          <option value="guest">{say('inviteGuest')}</option>
          <option value="account">{say('inviteAccount')}</option>
        </select>
      </label>
      <label>
        {say('inviteRole')}
        <select name="role">
          {['member', 'reader', 'dropper', 'moderator'].map(role => (
            <option key={role}>{role}</option>
          ))}
        </select>
      </label>
      <label>
        {say('inviteUses')}
        <input name="uses" type="number" min={1} max={1000} value={1} />
      </label>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <button type="submit" class="primary">
        {say('makeInvite')}
      </button>
    </form>
  );
}

function InviteLink({ link, uses, until }: Made) {
  const store = useStore();
  return (
    <div class="form">
      <p>{say('inviteReady', { uses, until: momentText(until) })}</p>
      <QrCode text={link} />
      <input
        id="invite-link"
        readOnly
        value={link}
        aria-label={say('invite')}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <button type="button" class="primary" onClick={() => copy(store, link)}>
        {say('copy')}
      </button>
    </div>
  );
}

/** Dark on light in every theme: cameras want it so. */
function QrCode({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { border: 2 });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR">
      <path d={squares.join('')} />
    </svg>
  );
}
