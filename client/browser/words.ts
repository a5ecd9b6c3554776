/** Sizes, times and names as a person reads them. */
import { language, say } from './preferences.ts';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function sizeText(octets: number): string {
  let amount = octets;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

export function clockText(time: string): string {
  return new Date(time).toLocaleTimeString(language.value, { hour: '2-digit', minute: '2-digit', hour12: false });
}

export function momentText(time: string): string {
  return new Date(time).toLocaleString(language.value, { dateStyle: 'medium', timeStyle: 'short' });
}

export function dayText(time: string): string {
  const day = new Date(time);
  const daysAgo = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000);
  if (daysAgo === 0) return say('today');
  if (daysAgo === 1) return say('yesterday');
  return day.toLocaleDateString(language.value, { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
}

/** `@ada+bob` is the conversation with the other of the two. */
export function roomTitle(room: string, me: string): string {
  if (!room.startsWith('@')) return `#${room}`;
  const others = room
    .slice(1)
    .split('+')
    .filter(name => name.toLowerCase() !== me.toLowerCase());
  return `@${(others[0] ?? me).replace(/~.*$/, '')}`;
}

/** One of so many colours, always the same for a name. */
export function hueOf(name: string): number {
  let sum = 7;
  for (const sign of name.toLowerCase()) sum = (sum * 31 + sign.codePointAt(0)!) % 9973;
  return sum % 8;
}

/** `/files/…` of a path of the hub. */
export function fileUrl(path: string): string {
  return `/files${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** The last component of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
