/** The lesson of the half-close: a FIN ends one direction, and what was asked before it is still answered. */
import type { Lesson } from './lessons.ts';
import { hasStates, stateLines, whereStates } from './scene.ts';

export const halfCloseLesson: Lesson = {
  before: ({ holdMs = 150 }) => ({
    en: [
      'A FIN ends one direction of a connection, not the connection.',
      '',
      `This program asks, and sends its FIN. The server waits ${holdMs} ms, and then says what it still has to say.`,
      '',
    ],
    zh: [
      'FIN 只结束连接的一个方向，并不结束整个连接。',
      '',
      `本程序提问之后发出 FIN；服务器等待 ${holdMs} 毫秒，再把要说的话说完。`,
      '',
    ],
  }),
  play: ({ holdMs = 150, hasReply }) => ({
    holdMs,
    isSilent: !hasReply,
    async act(actor) {
      await actor.ask('PING question');
      await actor.isSeen();
      await actor.finish();
    },
  }),
  shows: 'close',
  after(scene, { hasReply }) {
    return {
      en: [
        ...(hasStates(scene) ? [`Observed, from ${whereStates(scene).en}:`, ...stateLines(scene), ''] : []),
        hasReply
          ? 'The BYE came behind our FIN, over the direction that was still open, and counts the replies: a client that has'
          : 'The server was asked to say nothing behind our FIN (--no-reply), so that only its own FIN came.',
        ...(hasReply ? ['half-closed knows that nothing was cut off. This is how `nc -N` and `partyline` end.'] : []),
        '',
        'A program that calls close() instead of shutdown() gives up both directions: what comes then is answered with RST,',
        'and the last words are lost.',
      ],
      zh: [
        ...(hasStates(scene) ? [`观察到的（来源：${whereStates(scene).zh}）：`, ...stateLines(scene), ''] : []),
        hasReply
          ? 'BYE 在我们的 FIN 之后，经仍然开着的方向到达，并报出回复的总数：半关闭的客户端由此知道没有丢失任何东西。'
          : '服务器按要求在我们的 FIN 之后不再说话（--no-reply），因此只来了它自己的 FIN。',
        '',
        '如果程序调用 close() 而不是 shutdown()，就同时放弃了两个方向：此后到达的数据会被 RST 回答，最后的话也就丢了。',
      ],
    };
  },
};
