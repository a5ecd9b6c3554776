/** Paths of the hub's tree as text: cut, joined and compared, whether they are checked or not. Which are well formed, `names.ts` says. */

/** Splits a checked path: `/lobby/a/b` is `['lobby', 'a', 'b']`, `/` is `[]`. */
export function pathComponents(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

/** What a person calls a place, seen from a folder → a path from the root, unchecked: `..` ends at the root, doubled slashes mean nothing. */
export function resolvePath(folder: string, name: string): string {
  const parts = name.startsWith('/') ? [] : folder.split('/').filter(part => part !== '');
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The folder that holds the path, as well formed as that; `/` holds itself. */
export function parentPath<P extends string>(path: P): P {
  const end = path.lastIndexOf('/');
  return (end <= 0 ? '/' : path.slice(0, end)) as P;
}

/** The last component; empty for `/`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** True if `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
