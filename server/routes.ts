/** Every other way in which a file of the hub can be had or put: addresses and command lines of the doors that are open. Pure. */

import type { RouteQuery } from './wires/telnet/context.ts';

/** Name of a listener → its port, as they are told when they listen. */
export type Doors = ReadonlyMap<string, number>;

/** One line each, to be pasted. */
export function routesTo(doors: Doors, { path, way, name, host }: RouteQuery): readonly string[] {
  const place = host.includes(':') ? `[${host}]` : host;
  const target = path.split('/').map(encodeURIComponent).join('/').replaceAll('%2F', '/').replaceAll('%7E', '~');
  const lines: string[] = [];
  const add = (door: string, format: (authority: string) => string) => {
    const port = doors.get(door);
    if (port !== undefined) lines.push(format(`${place}:${port}`));
  };
  if (way === 'get') {
    add('line', at => `partyline get 'pl://${name}@${at}${target}' .`);
    add('ftp', at => `curl -O -u ${name} 'ftp://${at}${target}'`);
    add('http', at => `http://${at}/files${target}`);
  } else {
    const folder = target.endsWith('/') ? target : `${target}/`;
    add('line', at => `partyline put FILE 'pl://${name}@${at}${folder}'`);
    add('ftp', at => `curl -T FILE -u ${name} 'ftp://${at}${folder}'`);
    add('http', at => `curl -T FILE -u ${name} 'http://${at}/files${folder}'`);
  }
  return lines;
}
