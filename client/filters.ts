/** `--include` and `--exclude` in the order in which they were said: the first pattern that matches decides. Patterns are those of `.gitignore`. */

export interface Filter {
  readonly keeps: boolean;
  readonly pattern: string;
}

/** For `isIgnored`. What no pattern matches stays out once there is an include; folders are walked all the same. */
export async function ignoredBy(filters: readonly Filter[]): Promise<(name: string) => boolean> {
  if (filters.length === 0) return () => false;
  const { default: ignore } = await import('ignore');
  const rules = filters.map(({ keeps, pattern }) => ({ keeps, matcher: ignore().add(pattern) }));
  const keepsOnlyNamed = rules.some(({ keeps }) => keeps);
  return name => {
    const isFolder = name.endsWith('/');
    for (const { keeps, matcher } of rules) {
      // Something in the folder may be what is to be kept.
      if (isFolder && keeps) return false;
      if (matcher.ignores(name)) return !keeps;
    }
    return !isFolder && keepsOnlyNamed;
  };
}
