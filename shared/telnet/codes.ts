/** The octets of TELNET by their names (RFC 854, 885, 1184); options are in the table of the wire. */

export const commands = {
  EOF: 236,
  SUSP: 237,
  ABORT: 238,
  EOR: 239,
  SE: 240,
  NOP: 241,
  DM: 242,
  BRK: 243,
  IP: 244,
  AO: 245,
  AYT: 246,
  EC: 247,
  EL: 248,
  GA: 249,
  SB: 250,
  WILL: 251,
  WONT: 252,
  DO: 253,
  DONT: 254,
  IAC: 255,
} as const;
export type CommandName = keyof typeof commands;

/** What two ends say about an option. */
export const negotiations = ['WILL', 'WONT', 'DO', 'DONT'] as const;
export type Negotiation = (typeof negotiations)[number];

/** Commands that stand alone. */
export type LoneCommand = Exclude<CommandName, Negotiation | 'SB' | 'SE' | 'IAC'>;

const names = new Map<number, CommandName>(Object.entries(commands).map(([name, code]) => [code, name as CommandName]));

/** Undefined below 236. */
export function commandName(code: number): CommandName | undefined {
  return names.get(code);
}
