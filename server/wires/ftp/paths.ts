/** What a client calls a place → the hub's path. Pure: whether there is such a thing, the hub knows. */

/** `..` ends at the root; a trailing slash and doubled ones mean nothing. */
export function resolvePath(folder: string, name: string): string {
  const parts = name.startsWith('/') ? [] : folder.split('/').filter(part => part !== '');
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
