/** Listing, reading, moving and removing files. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { FilePath } from '../../shared/names.ts';
import { isWithin } from '../../shared/paths.ts';
import { readContent } from './content.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import { demandOwner } from './homes.ts';
import type { EntryRow, PrincipalId } from './host.ts';
import type { LiveRoom } from './live-rooms.ts';
import { type Append, changeFiles } from './log.ts';
import { demand, demandLook, may } from './permissions.ts';
import type { Quotas } from './quotas.ts';
import type { Person } from './session.ts';
import { demandNoTranscript, getTranscript, isTranscript, listTranscripts, statTranscript } from './transcripts.ts';
import {
  childrenOf,
  demandParent,
  demandPlace,
  entriesBelow,
  entryAt,
  fileAt,
  folderRow,
  isRoomRoot,
  shownEntry,
} from './tree.ts';
import type { Write } from './writes.ts';

export type FileHandlers = Pick<Handlers, 'LS' | 'STAT' | 'GET' | 'MKDIR' | 'RM' | 'TOUCH' | 'MV' | 'CP'>;

export function fileHandlers(domain: Domain, quotas: Quotas): FileHandlers {
  return {
    async LS(call, { path, after }) {
      if (path === '/') return { path, count: await listRooms(domain, call) };
      const { exchange, person, room } = call;
      const looksAt = demandLook(person, room.rights);
      if (isTranscript(path)) return listTranscripts(domain, call, path, after);
      if (looksAt === 'own') return { path, count: await listOwn(domain, call, path, after) };
      if (isRoomRoot(path)) await demandOwner(domain, path);
      else {
        const entry = await entryAt(domain, path);
        if (entry.type === 'file') {
          await exchange.row?.(shownEntry(entry));
          return { path, count: 1 };
        }
      }
      let count = 0;
      for await (const entry of childrenOf(domain, path, after)) {
        count++;
        const wait = exchange.row?.(shownEntry(entry));
        if (wait) await wait;
      }
      return { path, count };
    },

    async STAT(call, { path }) {
      if (path === '/') return { path, type: 'dir' };
      const { person, room } = call;
      const looksAt = demandLook(person, room.rights);
      await demandOwner(domain, path);
      if (isRoomRoot(path)) return { path, type: 'dir' };
      if (isTranscript(path)) return statTranscript(domain, call, path);
      const entry = await entryAt(domain, path);
      if (looksAt === 'own' && entry.owner !== person.principal) throw new HubError('no-file', `there is no ${path}`);
      const { name: _, ...facts } = shownEntry(entry);
      return { path, ...facts, ...(entry.seq !== undefined && { seq: entry.seq }) };
    },

    async GET(call, { path, offset = 0, length, 'if-hash': ifHash }) {
      if (isTranscript(path)) return getTranscript(domain, call, { path, offset, length, ifHash });
      const { exchange, session } = call;
      const file = await fileAt(domain, path);
      if (ifHash !== undefined && ifHash !== file.hash)
        throw new HubError('if-match', `${path} is another file by now`);
      if (offset > file.size)
        throw new HubError('bad-argument', `offset is past the end at ${file.size}`, { at: 'offset' });
      const end = Math.min(file.size, offset + (length ?? file.size));
      const signals = exchange.signal ? [exchange.signal] : [];
      const take = async (octets: Uint8Array, at: number) => {
        if (session.hasEnded || signals.some(signal => signal.aborted)) throw new HubError('cancelled');
        await exchange.row?.({ offset: at }, undefined, octets);
      };
      await readContent(domain.blobs, file.content, offset, end, take, exchange.file?.bind(exchange));
      return { path, size: file.size, hash: file.hash };
    },

    async MKDIR({ room, person }, { path }) {
      await demandParent(domain, path);
      if (await domain.store.entry(path)) throw new HubError('exists', `${path} exists`);
      const entry = folderRow(domain, path, person);
      const write = { kind: 'put-entry', entry, expect: 'absent' } as const;
      const event = { room, draft: { event: 'FILE', op: 'mkdir', path } } as const;
      const made = changeFiles(domain, person, [event], [write]);
      const seq = await made.catch(async error => {
        // Made by somebody else in this moment.
        throw (await domain.store.entry(path)) ? new HubError('exists', `${path} exists`) : error;
      });
      return { path, ...seq };
    },

    async RM({ room, person }, { path, recursive = false }) {
      demandNotRoot(path);
      const entry = await entryAt(domain, path);
      demand(person, 'delete-own', room.rights, entry);
      let count = 1;
      if (entry.type === 'dir') {
        for await (const below of entriesBelow(domain, path)) {
          if (!recursive) throw new HubError('conflict', `${path} is not empty; say recursive=1 to remove all in it`);
          demand(person, 'delete-own', room.rights, below);
          count++;
        }
      }
      const event = { room, draft: { event: 'FILE', op: 'remove', path } } as const;
      const write = { kind: 'remove-entry', path, recursive, ...onlyOwn(person, room) } as const;
      const seq = await changeFiles(domain, person, [event], [write]);
      return { path, count, ...seq };
    },

    async TOUCH({ room, person }, { path, modified: time }) {
      demandNotRoot(path);
      const entry = await entryAt(domain, path);
      demand(person, 'delete-own', room.rights, entry);
      const modified = formatTime(Date.parse(time));
      await domain.store.commit([{ kind: 'date-entry', path, modified, ...onlyOwn(person, room) }]);
      return { path, modified };
    },

    async MV({ room, person }, { from, to, mode = 'new' }) {
      demandNotRoot(from);
      const entry = await entryAt(domain, from);
      demand(person, 'delete-own', room.rights, entry);
      if (isWithin(to, from)) throw new HubError('conflict', `${to} lies in what is moved`);
      const target = domain.rooms.ofPath(to);
      demand(person, 'upload', target.rights);
      const place = await demandPlace(domain, target, person, to, entry.type === 'dir' ? 'new' : mode);
      const writes: Write[] = [{ kind: 'move-entry', from, to, ...onlyOwn(person, room) }];
      if (place !== 'absent') {
        writes.unshift({ kind: 'remove-entry', path: to, recursive: false, ...onlyOwn(person, target) });
      }
      const move = () => changeFiles(domain, person, moveEvents(room, target, entry, to), writes);
      if (target.key === room.key) return { from, to, ...(await move()) };
      const octets = entry.type === 'dir' ? (await domain.store.usage(from)).octets : entry.size;
      return { from, to, ...(await quotas.holding({ room: target, path: to, octets }, move)) };
    },

    async CP({ person }, { from, to, mode = 'new' }) {
      demandNoTranscript(from);
      const file = await fileAt(domain, from);
      const target = domain.rooms.ofPath(to);
      demand(person, 'upload', target.rights);
      const expect = await demandPlace(domain, target, person, to, mode);
      const added = formatTime(domain.clock.now());
      const entry = { ...file, path: to, owner: person.principal, ownerName: person.name, added };
      const { size, hash } = file;
      const event = { room: target, draft: { event: 'FILE', op: 'put', path: to, size, hash } } as const;
      const claim = { room: target, owner: person.principal, path: to, octets: size };
      const seq = await quotas.holding(claim, () =>
        changeFiles(domain, person, [event], [{ kind: 'put-entry', entry, expect, contentOf: from }]),
      );
      return { from, to, size, hash, ...seq };
    },
  };
}

/** What somebody puts into a folder after it was looked at does not go with it. */
function onlyOwn(person: Person, room: LiveRoom): { readonly onlyOf?: PrincipalId } {
  return may(person, 'delete-any', room.rights) ? {} : { onlyOf: person.principal };
}

/** To who may only bring files, theirs are all that is there: whether there is such a folder they are not told either. */
async function listOwn(domain: Domain, { person, exchange }: Call, path: FilePath, after?: string): Promise<number> {
  let count = 0;
  const tell = async (entry: EntryRow) => {
    if (entry.owner !== person.principal) return;
    count++;
    await exchange.row?.(shownEntry(entry));
  };
  const entry = isRoomRoot(path) ? undefined : await domain.store.entry(path);
  if (entry?.type === 'file') await tell(entry);
  else for await (const child of childrenOf(domain, path, after)) await tell(child);
  return count;
}

/** `/` lists the rooms that one may see, and behind them one's own home. */
async function listRooms(domain: Domain, { person, exchange }: Call): Promise<number> {
  let count = 0;
  for (const room of domain.rooms.all()) {
    if (!may(person, 'see', room.rights)) continue;
    count++;
    await exchange.row?.({ name: room.key, type: 'dir', modified: room.rights.created });
  }
  if (person.isGuest) return count;
  const home = domain.rooms.home(`~${person.name}`);
  if (!may(person, 'see', home.rights)) return count;
  await exchange.row?.({ name: home.key, type: 'dir' });
  return count + 1;
}

function demandNotRoot(path: FilePath): void {
  if (path === '/' || isRoomRoot(path)) throw new HubError('forbidden', 'rooms and homes stay where they are');
  demandNoTranscript(path);
}

/** One room hears of a move; of two rooms the one hears that it went and the other that it came. */
function moveEvents(from: Append['room'], target: Append['room'], entry: EntryRow, to: FilePath): Append[] {
  const { path } = entry;
  const facts = entry.type === 'file' ? { size: entry.size, hash: entry.hash } : {};
  if (from.key === target.key) return [{ room: from, draft: { event: 'FILE', op: 'move', path, to, ...facts } }];
  const op = entry.type === 'file' ? 'put' : 'mkdir';
  return [
    { room: target, draft: { event: 'FILE', op, path: to, ...facts } },
    { room: from, draft: { event: 'FILE', op: 'remove', path } },
  ];
}
