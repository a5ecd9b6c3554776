/** The lesson of the layers: one line of text, and all that is put around it on its way. */
import type { WireEvent } from '../../shared/wire-lines.ts';
import type { Lesson } from './lessons.ts';
import type { Scene } from './stage.ts';

const line = 'PING how-many-octets-am-I';

/** What Linux sends over IPv4: TCP's 20 octets and a timestamp of 12. */
const usual = { link: 14, network: 20, transport: 32 } as const;

interface Layers {
  readonly isCaptured: boolean;
  readonly link: number;
  readonly network: number;
  readonly transport: number;
  readonly payload: number;
  readonly segment: WireEvent | undefined;
}

function layersOf({ events }: Scene): Layers {
  const segment = events.find(({ kind, text }) => kind === 'segment' && text === line);
  const octets = (name: keyof typeof usual) => Number(segment?.[name] ?? usual[name]);
  return {
    isCaptured: segment !== undefined,
    link: octets('link'),
    network: octets('network'),
    transport: octets('transport'),
    payload: Number(segment?.['len'] ?? line.length + 1),
    segment,
  };
}

function table(layers: Layers, words: readonly (readonly [name: string, about: string])[]): readonly string[] {
  const { link, network, transport, payload } = layers;
  return [link, network, transport, payload].map((octets, i) => {
    const [name, about] = words[i]!;
    const bar = '█'.repeat(Math.max(1, Math.round(octets / 3)));
    return `  ${name.padEnd(9)} ${String(octets).padStart(4)}  ${bar.padEnd(14)} ${about}`;
  });
}

function numbers({ segment }: Layers): string {
  return segment ? `: seq=${segment['seq']} ack=${segment['ack']} ${segment['flags']}` : '';
}

export const layersLesson: Lesson = {
  before: () => ({
    en: ['What is put around one line of text on its way: each layer adds a header of its own.', ''],
    zh: ['一行文字在路上被包了几层：每一层都加上自己的首部。', ''],
  }),
  play: () => ({
    holdMs: 0,
    isSilent: false,
    async act(actor) {
      await actor.ask(line);
      await actor.isSeen();
      await actor.finish();
    },
  }),
  shows: 'layers',
  after(scene) {
    const layers = layersOf(scene);
    const { link, network, transport, payload, isCaptured } = layers;
    const total = link + network + transport + payload;
    const share = Math.round((100 * payload) / total);
    const ip = network === 40 ? 'IPv6' : 'IPv4';
    return {
      en: [
        ...table(layers, [
          ['Ethernet', 'frame: from which card to which, and that IP is inside'],
          [ip, 'datagram: from which address to which, and that TCP is inside'],
          ['TCP', `segment: from which port to which, and its place in the stream${numbers(layers)}`],
          ['line', `message: ${line}⏎`],
        ]),
        '',
        `${total} octets, of which ${payload} are what we said: ${share} %.`,
        isCaptured
          ? 'Observed: sizes and numbers are those of the segment that was captured.'
          : 'Computed, not observed: no segment was captured, so these are the headers that Linux sends over IPv4.',
        'On loopback there is no link: its frame has zeros for addresses, and checksums are left to a card that is not there.',
      ],
      zh: [
        ...table(layers, [
          ['Ethernet', '帧：从哪块网卡到哪块网卡，里面装的是 IP'],
          [ip, '数据报：从哪个地址到哪个地址，里面装的是 TCP'],
          ['TCP', `报文段：从哪个端口到哪个端口，以及在字节流中的位置${numbers(layers)}`],
          ['line', `消息：${line}⏎`],
        ]),
        '',
        `共 ${total} 个字节，其中 ${payload} 个是我们说的话：${share} %。`,
        isCaptured
          ? '观察所得：大小与序号取自捕获到的报文段。'
          : '计算所得，并未观察：没有捕获报文段，这里列的是 Linux 在 IPv4 上发送的首部。',
        '回环上没有真正的链路：帧的地址全为零，校验和留给并不存在的网卡去算。',
      ],
    };
  },
};
