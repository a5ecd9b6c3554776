/** The lesson of the layers: one line of text, and all that is put around it on its way. */
import type { Lesson } from './lessons.ts';
import { hasSegments } from './scene.ts';

export const layersLesson: Lesson = {
  before: () => ({
    en: ['What is put around one line of text on its way: each layer adds a header of its own.', ''],
    zh: ['一行文字在路上被包了几层：每一层都加上自己的首部。', ''],
  }),
  play: () => ({
    holdMs: 0,
    isSilent: false,
    async act(actor) {
      await actor.ask('PING how-many-octets-am-I');
      await actor.isSeen();
      await actor.finish();
    },
  }),
  shows: 'layers',
  after(scene) {
    const isCaptured = hasSegments(scene);
    return {
      en: [
        isCaptured
          ? 'Sizes and fields are those of the segment that was captured.'
          : 'The headers were not observed: they are computed from what is known, and marked so.',
        'On loopback there is no link: addresses of the link layer are zero, and checksums are left to hardware that is not there.',
      ],
      zh: [
        isCaptured
          ? '各层的大小与字段取自捕获到的报文段。'
          : '首部没有观察到：它们是由已知的事实计算出来的，并已注明。',
        '回环上没有真正的链路：链路层地址为零，校验和留给并不存在的硬件去算。',
      ],
    };
  },
};
