/** The page `docs/protocol/line.md`, rendered from table 1, the session verbs, the errors, the events and the limits. Pure. */
import type * as z from 'zod';
import { type Command, usage } from '../commands/command.ts';
import { subjects } from '../commands/index.ts';
import { errors } from '../errors.ts';
import { eventSchemas } from '../events.ts';
import { limits } from '../limits.ts';
import { numberedEvents } from '../numbered.ts';
import { sessionVerbs } from './session-verbs.ts';

export function renderLineReference(): string {
  const sections = [
    introduction,
    grammar,
    order,
    verbSections(),
    eventSection(),
    errorSection(),
    limitSection(),
    ending,
  ];
  return `${sections.join('\n\n').trim()}\n`;
}

const introduction = `# The line protocol, PL/1

A text protocol that a person can type with \`nc\` and a program can run at full speed. One request is one line, and every
request gets exactly one final line that begins with \`+\` or \`-\`. This page is rendered from the tables that the server
runs on, so it cannot be out of date.

A first session. What you type is marked \`>\` here; the marks are not sent.

\`\`\`
$ nc -N localhost 7070
* PARTYLINE/1 hub=den line=${limits.lineOctetsMax} blob=${limits.blobOctetsMax} auth=guest,login,token caps=heartbeat,json,credit
> NICK ada
+ NICK user=ada
> JOIN lobby
+ JOIN room=lobby members=1 last=0
> SAY lobby :hello there, text ending in {500}
+ SAY room=lobby seq=1
* MSG room=lobby seq=1 time=2026-11-23T01:00:03Z from=ada guest=1 :hello there, text ending in {500}
> NOPE
- NOPE unknown-command :try HELP
> ^D
* BYE reason=drained replies=4
\`\`\`

Port 7070 speaks it in clear, port 7071 over TLS from the first octet; there is no STARTTLS. Text begins with a colon.
\`HELP\` lists what there is, \`HELP SAY\` explains one verb.`;

const grammar = `## Grammar

\`\`\`
frame    = [label SP] [size SP] body eol [blob eol]     ; a blob if and only if there is a size
eol      = LF / CRLF            ; both are taken; the server answers in the style of your last line
label    = "#" 1*32(ALPHA / DIGIT / "-" / "_" / ".")
size     = "{" 1*10DIGIT "}"    ; octets of the blob, exactly
body     = request / reply / row / event
request  = verb [SP json-object] / verb *(SP arg) [SP ":" text]
verb     = 1*16(ALPHA / "-")    ; in any case
arg      = word / key "=" word
key      = LOWER *(LOWER / "-")
word     = bare / DQUOTE *qchar DQUOTE    ; a bare word does not begin with : " { or #; \\" and \\\\ inside quotes
text     = *(TAB / %x20-7E / UTF8-2-4)    ; to the end of the line, as it is
reply    = "+" SP verb *(SP arg) [SP ":" text]          ; it is done; final
         / "-" SP verb SP code *(SP arg) [SP ":" text]  ; it is not; final
row      = "=" SP verb *(SP arg) [SP ":" text]          ; more comes for this request
event    = "*" SP name *(SP arg) [SP ":" text]          ; nobody asked for it; never labelled
\`\`\`

- **The size stands in front.** \`{11} SAY lobby\`, then eleven octets, then a line end. A text that looks like a size is
  only text: nothing a person writes can swallow the line behind it. Text with line ends always travels as a blob.
- **Lines are UTF-8** without control characters but TAB. What is not is \`bad-char\`, and the next line is read as usual.
- **A line that is too long** is thrown away to its end and answered \`line-too-long\`; so is a blob, \`too-large\`. Only a
  blob that is not followed by a line end is beyond repair: \`desync\`, and the connection ends.
- **A last line without its line end is not executed**: half of \`DELETE /abc\` must not delete \`/a\`.
- **JSON names the same fields**: \`SAY {"room":"lobby","text":"two\\nlines"}\`. After \`HELLO 1 format=json\` the server's
  lines carry JSON too: marker, name and code stay words, one object follows.
- **A line shaped like HTTP** ends the connection: some browser is being used as a weapon.`;

const order = `## Order, labels and flow

- **Without a label** requests are answered in the order in which they came, and each sees what those before it did.
  Independent ones (\`SAY\`, \`CHUNK\`, \`PING\`) overlap inside, so pipelining a thousand of them is one wait, not a thousand.
- **With a label**, \`#7 GET /lobby/a.iso\`, a request begins at once and is answered when it is done; rows and the final
  line carry the label. Two requests that are running must not share one.
- **Some verbs wait for all** in front of them, and hold all behind them: \`HELLO\`, \`LOGIN\`, \`NICK\`, \`TOKEN\`, \`ATTACH\`,
  \`QUIT\`, and a \`PUT\` with \`until=fin\`.
- **A reply comes before its own event**, so you know the number of your message before you see it.
- **At most ${limits.unansweredMax} requests** are unanswered at once; then the server stops reading until one is answered. At most
  ${limits.streamingMax} labelled downloads stream at once; one more is \`busy\`.
- **Credit.** A client that said \`HELLO 1 caps=credit\` gets at most ${limits.creditOctets} octets of a labelled download, and as much
  again as it allows with \`CREDIT label n\`. So a one-line reply is never late behind a download.
- **\`CANCEL label\`** stops a request; it is answered \`cancelled\`. CREDIT and CANCEL themselves are not answered.
- **A slow reader loses events, not its connection**: \`* GAP room=lobby from=7 to=90\` says which, and \`HISTORY\` has them.
- **More connections.** \`TICKET\` gives a word with which another connection says \`ATTACH\` and acts for your session, so that
  a download does not stand in the way of talk. Events come on the first connection only, and when it ends, all end.`;

const ending = `## How it ends

FIN means "no more requests": the server finishes what it owes, says \`* BYE reason=drained replies=N\`, and sends its FIN.
\`replies\` counts the final lines. \`QUIT\` does the same for tools that cannot send a FIN. An end without \`BYE\` is a
connection that broke: whatever was not answered may or may not have happened, and \`SAY id=\` makes asking again harmless.

After \`LISTEN\` the connection stays for events when your FIN has come: \`(echo NICK ada; echo JOIN lobby; echo LISTEN) | nc
-N localhost 7070\` prints a room until you stop it.

A file can be the rest of the stream: \`(echo 'LOGIN ada :…'; echo 'PUT /lobby/big.iso until=fin'; cat big.iso) | nc -N
localhost 7070\`. Everything behind the line is content and never a command, also when the upload is refused. A sender
that is killed ends with an ordinary FIN: say \`size=\` or \`hash=\` where half a file would be worse than none, or compare the
size and the sha256 that the server answers.`;

function verbSections(): string {
  const tables = Object.entries(subjects).map(
    ([subject, entries]) => `### ${capital(subject)}\n\n${verbTable(entries)}`,
  );
  return [
    '## Verbs',
    'Square brackets mark what may be left out. The last column names what a person must be allowed in the room; what ' +
      'needs nothing is taken before a name is given.',
    `### Session\n\n${verbTable(sessionVerbs)}`,
    ...tables,
  ].join('\n\n');
}

function verbTable(entries: Readonly<Record<string, Command>>): string {
  const rows = Object.entries(entries).map(([verb, entry]) => {
    const isSilent = verb === 'CANCEL' || verb === 'CREDIT';
    const answer = isSilent ? 'none' : `\`+ ${[verb, ...fieldsOf(entry.output)].join(' ')}\``;
    const shown = entry.rows ? `${rowOf(verb, entry)}<br>${answer}` : answer;
    const needs = entry.needs?.[0] ?? (entry.open ? 'nothing' : 'a name');
    return `| \`${usage(verb, entry)}\` | ${escapeCell(entry.summary)} | ${shown} | ${needs} |`;
  });
  return ['| request | | rows and reply | needs |', '|---|---|---|---|', ...rows].join('\n');
}

function rowOf(verb: string, entry: Command): string {
  if (entry.rows === 'events') return '`= MSG …`, and the other numbered events';
  const size = entry.content === 'out' ? '{octets} ' : '';
  return `\`${size}= ${[verb, ...fieldsOf(entry.rows!)].join(' ')}\``;
}

/** `room= seq= [dup=] [:text]` */
function fieldsOf(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const shown = name === 'text' ? ':text' : `${name}=`;
    return field.safeParse(undefined).success ? `[${shown}]` : shown;
  });
}

function eventSection(): string {
  const rows = Object.entries(eventSchemas).map(([name, schema]) => {
    const { event: _, ...shape } = schema.shape;
    const fields = Object.entries(shape as Record<string, z.ZodType>).map(([field, type]) => {
      const shown = field === 'text' ? ':text' : `${field}=`;
      return field !== 'text' && type.safeParse(undefined).success ? `[${shown}]` : shown;
    });
    const isNumbered = (numberedEvents as readonly string[]).includes(name);
    return `| \`${name}\` | ${isNumbered ? 'yes' : ''} | \`* ${[name, ...fields].join(' ')}\` |`;
  });
  return [
    '## Events',
    'You receive the events of rooms that you joined. Numbered ones count 1, 2, 3 … in their room, messages and files ' +
      'alike, and stay in its history; the others are of the moment. Times are RFC 3339 in UTC, hashes `sha256:` and 64 ' +
      'hexadecimal digits, sizes and offsets octets. `guest=1` marks a name that nobody owns. Reasons of `BYE`: ' +
      `${eventSchemas.BYE.shape.reason.options.map(code).join(', ')}.`,
    ['| event | numbered | line |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function errorSection(): string {
  const rows = Object.entries(errors).map(
    ([name, { class: kind, summary, exit }]) => `| \`${name}\` | ${kind} | ${escapeCell(summary)} | ${exit} |`,
  );
  return [
    '## Errors',
    'A permanent error comes again for the same request, a transient one may not, a fatal one ends the connection behind ' +
      '`BYE`. `at=` names the argument that is wrong, `retry=` the seconds to wait. The last column is the exit code of ' +
      '`partyline` on the command line.',
    ['| code | class | meaning | exit |', '|---|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function limitSection(): string {
  const rows: readonly (readonly [what: string, bound: string])[] = [
    ['a line without its end', `${limits.lineOctetsMax} octets`],
    ['a blob', `${limits.blobOctetsMax} octets`],
    ['a message', `${limits.messageOctetsMax} octets; longer things are files`],
    ['a row of GET', `${limits.chunkOctets} octets`],
    ['unsent output, then requests are not read', `${limits.outputOctetsHigh} octets`],
    ['unsent events, then a GAP', `${limits.eventOctetsMax} octets`],
    ['no octet taken by you while some are unsent: reset', seconds(limits.stallMs)],
    ['to give a name', seconds(limits.loginMs)],
    ['between PING events for `caps=heartbeat`; silence over two of them ends it', seconds(limits.heartbeatMs)],
    ['a ticket is good', seconds(limits.ticketMs)],
    ['rows that JOIN replays before a GAP', String(limits.replayRowsMax)],
    ['rows of one HISTORY', String(limits.historyRowsMax)],
    ['an upload that nobody continues', `${limits.uploadMs / 86_400_000} days`],
  ];
  return ['## Limits', ['| what | bound |', '|---|---|', ...rows.map(row => `| ${row.join(' | ')} |`)].join('\n')].join(
    '\n\n',
  );
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function code(word: string): string {
  return `\`${word}\``;
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
