/** Which webhooks there are: adding, listing, removing, and the note in the audit log when one is paused. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { auditRoom } from './audit.ts';
import type { Domain, Handlers } from './handlers.ts';
import { appendEvent } from './log.ts';
import { caretaker } from './retention.ts';
import type { Person } from './session.ts';
import { Webhook, type WebhookDocument } from './webhook.ts';

export type WebhookHandlers = Pick<Handlers, 'WEBHOOK' | 'WEBHOOKS' | 'REHOOK' | 'UNHOOK'>;

/** All that are known. Nothing is posted where the hub was given no `post`. */
export class Webhooks {
  readonly #domain: Domain;
  readonly #byId = new Map<string, Webhook>();

  private constructor(domain: Domain) {
    this.#domain = domain;
  }

  /** Goes on where each stopped. */
  static async load(domain: Domain): Promise<Webhooks> {
    const hooks = new Webhooks(domain);
    if (!domain.post) return hooks;
    const known = await domain.store.documents<WebhookDocument>('webhook', { limit: limits.webhooksMax });
    for (const { key, value } of known) hooks.#add(key, value).wakeAll();
    domain.published.add(room => {
      for (const hook of hooks.#byId.values()) hook.wake(room);
    });
    return hooks;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(hook => hook.stop()));
  }

  #add(id: string, document: WebhookDocument): Webhook {
    if (!this.#domain.post) throw new HubError('forbidden', 'webhooks are off; the hub is started with --webhooks');
    const hook = new Webhook(id, document, this.#domain, this.#domain.post, (paused, why) => this.#note(paused, why));
    this.#byId.set(id, hook);
    return hook;
  }

  #note({ id, document }: Webhook, why: string): void {
    const room = this.#domain.rooms.find(auditRoom);
    if (!room?.rights.isRecord) return;
    const draft = {
      event: 'MSG',
      text: `the webhook ${id} to ${document.url} is paused: ${why}; REHOOK ${id}`,
    } as const;
    appendEvent(this.#domain, room, caretaker, draft).catch(error =>
      this.#domain.report({ what: 'writing the audit log', error }),
    );
  }

  #get(id: string): Webhook {
    const hook = this.#byId.get(id);
    if (!hook) throw new HubError('bad-argument', `there is no webhook ${id}; WEBHOOKS lists them`, { at: 'id' });
    return hook;
  }

  handlers(): WebhookHandlers {
    const { rooms, random, store } = this.#domain;
    return {
      WEBHOOK: async ({ person }, { url, rooms: names, events }) => {
        demandAdmin(person);
        if (this.#byId.size >= limits.webhooksMax)
          throw new HubError('quota', 'there are too many webhooks; UNHOOK one');
        const keys = names?.map(name => rooms.get(name).key);
        const cursors = Object.fromEntries([...rooms.all()].map(({ key, last }) => [key, last]));
        const [id, secret] = [`h_${random.token(9)}`, random.token(32)];
        const given = { ...(keys && { rooms: keys }), ...(events && { events }) };
        const hook = this.#add(id, { url, secret, cursors, ...given });
        await hook.save(hook.document);
        return { id, secret };
      },

      WEBHOOKS: async ({ person, exchange }) => {
        demandAdmin(person);
        for (const { id, document } of this.#byId.values()) {
          const { url, rooms: keys, events, paused } = document;
          const bounds = { ...(keys && { rooms: keys.join(',') }), ...(events && { events: events.join(',') }) };
          await exchange.row?.({ id, url, ...bounds, ...(paused !== undefined && { paused }) });
        }
        return { count: this.#byId.size };
      },

      REHOOK: async ({ person }, { id }) => {
        demandAdmin(person);
        const hook = this.#get(id);
        const { paused: _, ...document } = hook.document;
        await hook.save(document);
        hook.wakeAll();
        return { id };
      },

      UNHOOK: async ({ person }, { id }) => {
        demandAdmin(person);
        const hook = this.#get(id);
        this.#byId.delete(id);
        await hook.stop();
        await store.commit([{ kind: 'remove-document', document: 'webhook', key: id }]);
        return { id };
      },
    };
  }
}

function demandAdmin(person: Person): void {
  if (!person.isAdmin) throw new HubError('forbidden', 'this is for administrators');
}
