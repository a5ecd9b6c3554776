/** The values that commands and events carry: schemas first, types inferred. Text wires send words, so numbers accept digits. */
import * as z from 'zod';
import { limits } from './limits.ts';
import { cleanText, holdsControls, octetLength } from './text.ts';

/** A whole number that may come as digits; 16 digits at most, so that it is exact. */
function whole(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  return z.preprocess(
    value => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value),
    z.int({ error: 'is a whole number' }).min(min).max(max),
  );
}

/** A number of a room's log: 1, 2, 3 … without holes. */
export const Seq = whole(1);
/** The newest number of a room's log; 0 while it is empty. */
export const Head = whole(0);
export const Octets = whole(0);
export const Count = whole(0);
export const Days = whole(0, 36_500);
export const Limit = whole(1, limits.historyRowsMax);
/** `1`, `yes` or `true`; absent means no. */
export const Flag = z.preprocess(
  value => (typeof value === 'string' ? ['1', 'yes', 'true'].includes(value) || value : value === 1 ? true : value),
  z.boolean({ error: 'is 1 or left out' }),
);
/** RFC 3339 in UTC, whole seconds. */
export const Time = z.string();
export const Hash = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is sha256: and 64 hexadecimal digits');
export type Hash = z.infer<typeof Hash>;
/** A word a client makes up, so that repeating a request is harmless. */
export const RequestId = z.string().regex(/^[\w.-]{1,64}$/, 'is 1 to 64 letters, digits, - _ .');
/** Octets of the pieces that PIECES hashes. */
export const PieceOctets = whole(limits.pieceOctetsMin, limits.pieceOctetsMax);
/** What INVITE answered. */
export const InviteId = z.string().regex(/^i_[\w-]{16,60}$/, 'is the word that INVITE answered');
export const UploadId = z.string().regex(/^u_[\w-]{8,40}$/, 'is the name that PUT answered');

/** A connection that the server accepted, such as `line-12`. */
export const ConnectionId = z.string().regex(/^[a-z]+(-[a-z]+)?-\d{1,15}$/, 'is a connection such as line-12');
export const Port = whole(1, 65_535);
export const HoldMs = whole(0, limits.holdMsMax);

export const MessageText = z
  .string()
  .overwrite(cleanText)
  .check(
    z.refine(text => text.trim() !== '', { error: 'is empty' }),
    z.refine(text => octetLength(text) <= limits.messageOctetsMax, {
      error: `has at most ${limits.messageOctetsMax} octets; send a longer text as a file`,
    }),
  );

export const SearchText = z.string().max(limits.searchCharsMax);

export const Topic = z
  .string()
  .overwrite(text =>
    cleanText(text)
      .replaceAll(/[\n\t]+/g, ' ')
      .trim(),
  )
  .check(z.maxLength(limits.topicCharsMax));

/** `60s`, `5m`, `1h`, `7d` in milliseconds. */
export const Duration = z
  .string()
  .regex(/^[1-9]\d{0,5}(s|m|h|d)$/, 'is a number and s, m, h or d')
  .transform(
    text =>
      Number.parseInt(text, 10) *
      { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[text.slice(-1) as 's' | 'm' | 'h' | 'd'],
  );

/** What somebody may be in a room, from most to least. */
export const roleNames = ['owner', 'moderator', 'member', 'reader', 'dropper', 'none'] as const;
export const RoleName = z.enum(roleNames);
export type RoleName = z.infer<typeof RoleName>;

/** `public`: everybody is a member. `listed`: everybody sees that it is there. `private`: only who has a role knows of it. */
export const Visibility = z.enum(['public', 'listed', 'private']);
export type Visibility = z.infer<typeof Visibility>;

/** Why somebody is refused something; one line. */
export const Reason = Topic.check(z.maxLength(limits.reasonCharsMax));

/** Why somebody does not answer; one line. */
export const AwayText = Topic.check(z.maxLength(limits.awayCharsMax));

let rgiEmoji: RegExp | undefined;

/** Compiled when the first reaction comes: it takes 20 ms, a tenth of the start of every command. */
const isEmoji = (word: string): boolean => {
  // biome-ignore lint/complexity/useRegexLiterals: the compiler's target does not know the flag v yet, node does.
  rgiEmoji ??= new RegExp('^\\p{RGI_Emoji}$', 'v');
  return rgiEmoji.test(word);
};

/** One emoji, or a short word of letters. The sign of an emoji's colour is added where it is left out, so that both are one. */
export const Emoji = z
  .string()
  .overwrite(text => {
    const word = text.normalize('NFC');
    return isEmoji(`${word}\ufe0f`) ? `${word}\ufe0f` : word;
  })
  .check(
    z.refine(
      word =>
        (isEmoji(word) || /^[\p{L}\p{M}]+$/u.test(word)) &&
        !holdsControls(word) &&
        octetLength(word) <= limits.reactionOctetsMax,
      { error: `is one emoji or a word of letters, at most ${limits.reactionOctetsMax} octets` },
    ),
  );

/** An address as the server sees it: IPv4, or IPv6 without brackets and zone, in the one form of RFC 5952. */
export const Address = z
  .union([z.ipv4(), z.ipv6()], { error: 'is an IPv4 or IPv6 address' })
  .transform(text => (text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text));

export const Password = z.string().min(1).max(limits.passwordCharsMax);

export const EntryType = z.enum(['file', 'dir']);
/** What stands at a path, as listings show it. `size` and `hash` are of files only. */
export const Entry = z.object({
  name: z.string(),
  type: EntryType,
  size: Octets.optional(),
  modified: Time.optional(),
  owner: z.string().optional(),
  hash: Hash.optional(),
});
export type Entry = z.infer<typeof Entry>;

/** `0-1048575,2097152-…`: inclusive ranges of octets, ascending; empty when nothing is held. */
export const Ranges = z.string().regex(/^(\d+-\d+(,\d+-\d+)*)?$/);
