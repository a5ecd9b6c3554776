/** `partyline explain TOPIC`: a lesson made live against a running server, drawn from what was really seen, told in English or Chinese. */
import { type Command, Option } from 'commander';
import { limits } from '../../shared/limits.ts';
import { WireDrawing, type WireEvent } from '../../shared/wire-lines.ts';
import { type Hub, PartylineError } from '../index.ts';
import { openHub, resolveAddress, type SecretOptions } from './context.ts';
import { isTopic, type Language, type Lesson, lessons, type Shown, type Told, topics } from './lessons.ts';
import { perform, type Scene } from './stage.ts';

interface Flags extends SecretOptions {
  readonly zh?: boolean;
  readonly reply: boolean;
  readonly lingerClose?: number;
  readonly json?: boolean;
}

const takesMax = 8;
const again = {
  en: '(A state passed between two looks of the server; once more.)',
  zh: '（有一个状态落在服务器两次查看之间；再来一次。）',
} as const;

export function addExplainCommand(program: Command): void {
  program
    .command('explain <topic> [hub]')
    .description(`make it happen against a running server, and tell what is seen: ${topics.join(', ')}`)
    .option('--zh', '用中文讲解')
    .option('--no-reply', 'the server has nothing more to say behind our FIN')
    .addOption(
      new Option('--linger-close <time>', 'how long the server waits behind our FIN, such as 150ms').argParser(holdOf),
    )
    .option('--json', 'only the events, one JSON object a line')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (topic: string, text: string | undefined, flags: Flags) => {
      if (!isTopic(topic)) throw new PartylineError('bad-argument', `there are ${topics.join(', ')}, not ${topic}`);
      const address = await resolveAddress(text ?? 'pl://localhost');
      if (address.secure) throw new PartylineError('bad-argument', 'a lesson plays in clear: give the pl:// address');
      const hub = await openHub(address, flags);
      try {
        await explain(hub, flags, topic, play => perform(hub, address, play));
        await hub.finish();
      } catch (error) {
        hub.destroy();
        throw error;
      }
    });
}

async function explain(
  _hub: Hub,
  flags: Flags,
  topic: (typeof topics)[number],
  play: (play: Parameters<typeof perform>[2]) => Promise<Scene>,
): Promise<void> {
  const lesson: Lesson = lessons[topic];
  const language: Language = flags.zh ? 'zh' : 'en';
  const choice = { hasReply: flags.reply, ...(flags.lingerClose !== undefined && { holdMs: flags.lingerClose }) };
  if (!flags.json) print(lesson.before(choice)[language]);
  let scene = await play(lesson.play(choice));
  // A busy machine looks late, and states pass quickly.
  for (let take = 1; take < takesMax && lesson.isWhole?.(scene, choice) === false; take++) {
    if (!flags.json) print([again[language], '']);
    scene = await play(lesson.play(choice));
  }
  if (flags.json) {
    for (const event of scene.events) process.stdout.write(`${JSON.stringify(event)}\n`);
    return;
  }
  print([...drawing(scene.events, lesson.shows), '']);
  print(lesson.after(scene, choice)[language]);
}

/** The part of the connection that the lesson is about. */
function drawing(events: readonly WireEvent[], shown: Shown): readonly string[] {
  if (shown === 'layers') return [];
  const isFin = ({ kind, flags }: WireEvent) => kind === 'half-close' || String(flags).includes('FIN');
  const isCaptured = events.some(({ kind }) => kind === 'segment');
  const drawn = events.filter(({ kind, source }) => !isCaptured || source !== 'app' || kind === 'open');
  const fin = drawn.findIndex(isFin);
  // A few before it, to see what it follows.
  const part = shown === 'close' ? drawn.slice(Math.max(0, fin - 4)) : drawn.slice(0, fin);
  const picture = new WireDrawing();
  return [picture.head, ...picture.all(part.filter(({ kind }) => kind !== 'stats'))];
}

function print(lines: Told[Language]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** Error: `bad-argument`. */
function holdOf(text: string): number {
  const [, digits, unit] = /^(\d{1,5})(ms|s)?$/.exec(text) ?? [];
  const ms = Number(digits) * (unit === 's' ? 1_000 : 1);
  if (digits !== undefined && ms <= limits.holdMsMax) return ms;
  throw new PartylineError(
    'bad-argument',
    `--linger-close takes a time such as 150ms, at most ${limits.holdMsMax / 1000}s`,
  );
}
