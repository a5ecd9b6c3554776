/** The lesson of the four-way close (RFC 9293 §3.6): two half-closes, and why the wire often shows three segments. */
import type { Choice, Lesson, Told } from './lessons.ts';
import { hasSegments, hasStates, sought, stateLines, statesOf, whereStates } from './scene.ts';
import type { Scene } from './stage.ts';

/** Long enough that Linux acknowledges our FIN by itself, which it does within 40 ms; short enough that it need not. */
const withReplyMs = 150;
/** Longer Linux does not wait with an ACK. */
const delayedAckMs = 40;
const withoutReplyMs = 25;

const wanted = {
  client: ['FIN_WAIT_1', 'FIN_WAIT_2', 'TIME_WAIT'],
  server: ['CLOSE_WAIT', 'LAST_ACK'],
} as const;

function holdOf({ holdMs, hasReply }: Choice): number {
  return holdMs ?? (hasReply ? withReplyMs : withoutReplyMs);
}

/** The ACK of our FIN rides on what the server says or on its FIN. */
function isRidden(choice: Choice): boolean {
  return holdOf(choice) <= delayedAckMs;
}

export const closeLesson: Lesson = {
  before(choice) {
    const hold = holdOf(choice);
    return {
      en: [
        'How a TCP connection ends: each direction for itself.',
        '',
        'This program connects, asks two things, and sends its FIN. The server is asked to wait',
        `${hold} ms behind that FIN, so that states which usually pass at once can be seen. Then it`,
        choice.hasReply
          ? 'says its last line, BYE, and sends its own FIN.'
          : 'says nothing more (--no-reply) and sends its own FIN.',
        '',
      ],
      zh: [
        'TCP 连接怎样结束：两个方向各自关闭。',
        '',
        `本程序建立连接，问两句话，然后发出 FIN。服务器收到 FIN 后先等待 ${hold} 毫秒，`,
        '好让那些一闪而过的状态也能看见。',
        choice.hasReply
          ? '随后它说完最后一行 BYE，再发出自己的 FIN。'
          : '随后它什么也不再说（--no-reply），直接发出自己的 FIN。',
        '',
      ],
    };
  },

  play: choice => ({
    holdMs: holdOf(choice),
    isSilent: !choice.hasReply,
    async act(actor) {
      await actor.ask('PING one');
      await actor.ask('PING two');
      await actor.isSeen();
      await actor.finish();
    },
  }),

  shows: 'close',

  isWhole(scene, choice) {
    if (statesOf(scene, 'client').length === 0) return true;
    const passing = isRidden(choice) ? ['FIN_WAIT_2', 'LAST_ACK'] : ['LAST_ACK'];
    return sought(scene, wanted).missed.every(({ state }) => passing.includes(state));
  },

  after(scene, choice) {
    const parts = [observed(scene, choice), story(scene, choice), retold(choice)];
    return { en: parts.flatMap(({ en }) => en), zh: parts.flatMap(({ zh }) => zh) };
  },
};

function observed(scene: Scene, choice: Choice): Told {
  if (!hasStates(scene)) {
    return {
      en: [
        'The machine of this server has no table of its connections that can be read: what stands above is what the',
        'server’s application saw, a FIN that came and a FIN that it sent. No state was observed.',
        '',
      ],
      zh: [
        '服务器所在的机器没有可读的连接表：以上只是服务器应用程序看到的：收到一个 FIN，发出一个 FIN。没有观察到任何状态。',
        '',
      ],
    };
  }
  const { missed } = sought(scene, wanted);
  const isFar = statesOf(scene, 'client').length === 0;
  const why = ({ side, state }: (typeof missed)[number]) => (isFar && side === 'client' ? far : reason(state, choice));
  const where = whereStates(scene);
  return {
    en: [
      `Observed, from ${where.en}:`,
      ...stateLines(scene),
      ...missed.map(one => `  not observed: ${one.state} of the ${one.side}${why(one).en}`),
      '',
    ],
    zh: [
      `观察到的（来源：${where.zh}）：`,
      ...stateLines(scene),
      ...missed.map(one => `  没有观察到：${one.side === 'client' ? '客户端' : '服务器'}的 ${one.state}${why(one).zh}`),
      '',
    ],
  };
}

/** The server's kernel knows both ends only where both are on its machine. */
const far = {
  en: ': that end is on another machine, whose table the server cannot see',
  zh: '：那一端在另一台机器上，服务器看不到那里的连接表',
} as const;

function reason(state: string, choice: Choice): { readonly en: string; readonly zh: string } {
  if (state === 'LAST_ACK') {
    return {
      en: ': it lasts until one ACK has crossed, here a few microseconds, between two looks',
      zh: '：它只持续到一个 ACK 到达为止，在这里不过几微秒，落在两次查看之间',
    };
  }
  if (state === 'FIN_WAIT_2' && isRidden(choice)) {
    return { en: ': see below', zh: '：原因见下' };
  }
  return { en: ': it passed between two looks; try again', zh: '：它落在两次查看之间；可以再试一次' };
}

function story(scene: Scene, choice: Choice): Told {
  const hasWaited = !isRidden(choice) || statesOf(scene, 'client').includes('FIN_WAIT_2');
  const by = hasSegments(scene)
    ? { en: ', as the segments show', zh: '（见上面的报文段）' }
    : { en: ' (inferred from the states: no segment was captured)', zh: '（由状态推断：没有捕获报文段）' };
  const firstAck = hasWaited
    ? {
        en: [
          '  2  The server’s kernel acknowledges it, without asking the server.    client FIN_WAIT_2, server CLOSE_WAIT',
        ],
        zh: ['  2  服务器的内核确认它，无须问应用程序。          客户端 FIN_WAIT_2，服务器 CLOSE_WAIT'],
      }
    : {
        en: [
          '  2  Its ACK waits: Linux gives it up to 40 ms to ride on something that goes back anyway.',
          `     Something did${by.en}, so that FIN_WAIT_2 was over as soon as it began, or never was.`,
        ],
        zh: [
          '  2  它的 ACK 在等：Linux 最多等 40 毫秒，看有没有别的报文可以捎带它。',
          `     果然有${by.zh}，于是 FIN_WAIT_2 一闪而过，或根本没有出现。`,
        ],
      };
  const reply = choice.hasReply
    ? {
        en: ['     The other direction is still open: the BYE above came behind our FIN, and arrived.'],
        zh: ['     另一个方向还开着：上面的 BYE 在我们的 FIN 之后发出，照样到达。'],
      }
    : {
        en: ['     The other direction is still open, but the server has nothing to say.'],
        zh: ['     另一个方向还开着，但服务器已无话可说。'],
      };
  return {
    en: [
      'One after the other:',
      '  1  Our FIN: “I send nothing more.”                                    client FIN_WAIT_1',
      ...firstAck.en,
      ...reply.en,
      '  3  The server’s FIN: “neither do I.”                                  server LAST_ACK',
      '  4  Our ACK. Whoever closed first waits, 60 s on Linux, in case that',
      '     ACK is lost and the FIN comes again.                               client TIME_WAIT',
      '',
    ],
    zh: [
      '依次发生的是：',
      '  1  我们的 FIN：“我不再发送了。”                    客户端 FIN_WAIT_1',
      ...firstAck.zh,
      ...reply.zh,
      '  3  服务器的 FIN：“我也不发了。”                    服务器 LAST_ACK',
      '  4  我们的 ACK。先关闭的一方要等待（Linux 上 60 秒），以防这个 ACK 丢失、FIN 重发。  客户端 TIME_WAIT',
      '',
    ],
  };
}

function retold(choice: Choice): Told {
  return choice.hasReply
    ? {
        en: ['With --no-reply nothing is queued behind our FIN, and the picture changes: try it.'],
        zh: ['加上 --no-reply，FIN 之后就没有排队的回复，图景随之改变：请试一试。'],
      }
    : {
        en: [
          'This is why captures often show three segments and not four: FIN, FIN with ACK, ACK.',
          'Without --no-reply, and a longer wait, it is four and more.',
        ],
        zh: [
          '这就是抓包里常见三个报文段而不是四个的原因：FIN、FIN+ACK、ACK。',
          '去掉 --no-reply 并等久一些，就是四个或更多。',
        ],
      };
}
