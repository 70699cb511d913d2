/**
 * Torrents that share files, in groups: cross-seeds with the same files, hard links to the same data. Whoever shares
 * with nobody is a group of its own. Groups are in the order of their first torrent.
 *
 * @param torrents with what identifies each of their files: a path, or the inode of its data
 */
export function groupsOf(torrents: readonly { id: string; files: readonly string[] }[]): string[][] {
  const parents = torrents.map((_, index) => index);
  const rootOf = (index: number): number => {
    let at = index;
    for (let parent = parents[at] ?? at; parent !== at; parent = parents[at] ?? at) {
      parents[at] = parents[parent] ?? parent;
      at = parent;
    }
    return at;
  };
  const owners = new Map<string, number>();
  for (const [index, { files }] of torrents.entries())
    for (const file of files) {
      const owner = owners.get(file);
      if (owner === undefined) owners.set(file, index);
      else parents[rootOf(index)] = rootOf(owner);
    }
  const groups = new Map<number, string[]>();
  for (const [index, { id }] of torrents.entries()) {
    const root = rootOf(index);
    groups.set(root, [...(groups.get(root) ?? []), id]);
  }
  return [...groups.values()];
}
