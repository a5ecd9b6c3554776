/** The settings that are ports, from the table of settings: so that a server of a test, or of a bench, takes free ones on every wire. */
import { environmentKey, type SettingName, settingsTable } from '../../server/settings.ts';

type PortSetting = Extract<SettingName, `${string}-port`>;
/** What the server calls a listener when it says where it listens. */
export type ListenerName = PortSetting extends `${infer Name}-port` ? Name : never;

/** 0 for one that is not open. */
export type Ports = Readonly<Record<ListenerName, number>>;

const listeners = Object.keys(settingsTable)
  .filter(name => name.endsWith('-port'))
  .map(name => name.slice(0, -'-port'.length) as ListenerName);

export function mapPorts(each: (name: ListenerName) => number): Ports {
  return Object.fromEntries(listeners.map(name => [name, each(name)])) as Ports;
}

/** `PARTYLINE_LINE_PORT` and so on, as the environment has them. */
export function portEnvironment(ports: Ports): Readonly<Record<string, string>> {
  return Object.fromEntries(listeners.map(name => [environmentKey(`${name}-port`), String(ports[name])]));
}

export const freePorts = { ...portEnvironment(mapPorts(() => 0)), PARTYLINE_FTP_PASSIVE_PORTS: '0' };

/** Reads `listening line 127.0.0.1:41234` …, once `partyline ready` stands below them. */
export function parsePorts(output: string): Ports | undefined {
  if (!/^partyline ready$/m.test(output)) return undefined;
  return mapPorts(name => Number(new RegExp(`^listening ${name} \\S+:(\\d+)$`, 'm').exec(output)?.[1] ?? 0));
}
