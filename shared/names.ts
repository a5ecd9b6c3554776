/** Names of people, rooms and files: normalised first, then checked. Branded, so that an unchecked string is a type error. */
import * as z from 'zod';
import { limits } from './limits.ts';
import { pathComponents } from './paths.ts';
import { foldName, holdsControls, octetLength } from './text.ts';

const personOrRoom = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u;

function named(what: string) {
  return z
    .string()
    .max(4 * limits.nameCharsMax)
    .overwrite(name => name.normalize('NFC'))
    .check(
      z.refine(name => personOrRoom.test(name) && [...name].length <= limits.nameCharsMax, {
        error: `a ${what} is 1 to ${limits.nameCharsMax} letters, digits, - _ . and begins with a letter or digit`,
      }),
    );
}

/** A person's name as they write it; two names with the same `foldName` are the same person. */
export const UserName = named('name').brand<'UserName'>();
export type UserName = z.infer<typeof UserName>;

/** A room's name, without `#`. */
export const RoomName = named('room').brand<'RoomName'>();
export type RoomName = z.infer<typeof RoomName>;

const direct = /^@[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*(\+[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*(~[\w-]+)?)?$/u;

/** As `RoomName`, or the conversation with a person: `@bob`, or in full `@ada+bob`, as no room that is made can be called. */
export const TalkName = z
  .string()
  .max(8 * limits.nameCharsMax)
  .overwrite(name => name.normalize('NFC'))
  .check(
    z.refine(name => direct.test(name) || RoomName.safeParse(name).success, {
      error: 'is a room, or @person for the conversation with them',
    }),
  )
  .brand<'RoomName'>();

/** A room, or the home of an account: `~ada`. */
export const PlaceName = z.union([
  RoomName,
  z
    .string()
    .startsWith('~')
    .check(z.refine(name => UserName.safeParse(name.slice(1)).success, { error: 'is a room, or ~person for a home' }))
    .brand<'RoomName'>(),
]);

function componentFault(component: string): string | undefined {
  if (component === '') return 'holds an empty component';
  if (component === '.' || component === '..') return 'holds . or ..';
  if (holdsControls(component)) return 'holds a control or direction character';
  if (!component.isWellFormed()) return 'is not well-formed Unicode';
  if (octetLength(component) > limits.fileNameOctetsMax) return `holds a name over ${limits.fileNameOctetsMax} octets`;
  return undefined;
}

function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'a path begins with /';
  if (octetLength(path) > limits.pathOctetsMax) return `a path has at most ${limits.pathOctetsMax} octets`;
  const components = pathComponents(path);
  for (const component of components) {
    const fault = componentFault(component);
    if (fault) return `the path ${fault}`;
  }
  const room = components[0]?.replace(/^~/, '');
  if (room !== undefined && !personOrRoom.test(room)) return 'the path begins with /room or /~person';
  return undefined;
}

/** NFC, one trailing slash dropped, the room folded as rooms are: one object has one path. */
function normalisePath(path: string): string {
  const text = path.normalize('NFC').replace(/(?<=.)\/$/, '');
  const end = text.indexOf('/', 1);
  return end < 0 ? foldName(text) : foldName(text.slice(0, end)) + text.slice(end);
}

/** An absolute path of the hub's tree: `/`, `/room`, `/room/folder/name`. Case-sensitive below the room. */
export const FilePath = z
  .string()
  .overwrite(normalisePath)
  .check(ctx => {
    const fault = pathFault(ctx.value);
    if (fault) ctx.issues.push({ code: 'custom', message: fault, input: ctx.value });
  })
  .brand<'FilePath'>();
export type FilePath = z.infer<typeof FilePath>;
