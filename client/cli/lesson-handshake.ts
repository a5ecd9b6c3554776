/** The lesson of the handshake (RFC 9293 §3.5): three segments, and why not two. */
import type { Lesson } from './lessons.ts';
import { hasSegments, hasStates, sought, stateLines, whereStates } from './scene.ts';

export const handshakeLesson: Lesson = {
  before: () => ({
    en: ['How a TCP connection begins: both ends agree on where each of them begins to count.', ''],
    zh: ['TCP 连接怎样开始：双方约定各自从哪个序号数起。', ''],
  }),
  play: () => ({
    holdMs: 0,
    isSilent: false,
    async act(actor) {
      await actor.ask('PING hello');
      await actor.isSeen();
      await actor.finish();
    },
  }),
  shows: 'handshake',
  after(scene) {
    const isCaptured = hasSegments(scene);
    const where = whereStates(scene);
    const { missed } = sought(scene, { client: ['SYN_SENT'], server: ['SYN_RCVD'] });
    const names = missed.map(({ state }) => state);
    return {
      en: [
        ...(isCaptured
          ? ['Three segments: SYN, SYN with ACK, ACK. The numbers are counted from each end’s own first one.']
          : [
              'The three segments themselves were not observed: the kernel does the handshake, and an application hears of a',
              'connection only when it is done. To see them the server needs --wire-view=capture, and tcpdump with its privilege.',
            ]),
        ...(hasStates(scene) ? ['', `Observed, from ${where.en}:`, ...stateLines(scene)] : []),
        ...names.map(name => `  not observed: ${name}, which lasts some microseconds on one machine`),
        '',
        'Why three:',
        '  1  SYN        the client: “my octets are counted from x”       client SYN_SENT',
        '  2  SYN, ACK   the server: “from x, good; mine from y”          server SYN_RCVD',
        '  3  ACK        the client: “from y, good”                       both ESTABLISHED',
        'With two, the server could not know that its y had arrived, and an old SYN that was late would open a connection',
        'that nobody asked for.',
      ],
      zh: [
        ...(isCaptured
          ? ['三个报文段：SYN、SYN+ACK、ACK。序号都从各自的第一个数起（相对序号）。']
          : [
              '三个报文段本身没有观察到：握手由内核完成，应用程序只在完成之后才得知有了连接。',
              '要看见它们，服务器须以 --wire-view=capture 启动，并且 tcpdump 有权捕获。',
            ]),
        ...(hasStates(scene) ? ['', `观察到的（来源：${where.zh}）：`, ...stateLines(scene)] : []),
        ...names.map(name => `  没有观察到：${name}，它在同一台机器上只持续几微秒`),
        '',
        '为什么是三次：',
        '  1  SYN        客户端：“我的字节从 x 数起”            客户端 SYN_SENT',
        '  2  SYN, ACK   服务器：“从 x，好；我的从 y 数起”      服务器 SYN_RCVD',
        '  3  ACK        客户端：“从 y，好”                     双方 ESTABLISHED',
        '若只有两次，服务器无从知道它的 y 是否到达；一个迟到的旧 SYN 就会打开一个谁也没要的连接。',
      ],
    };
  },
};
