/**
 * sendfile(2) through the optional dependency koffi: octets of a file go to a socket without passing this process. Not
 * there on other systems, or where koffi is not installed; whoever uses it has another way.
 */
const EAGAIN = 11;
const EINTR = 4;

export interface KernelCopy {
  /**
   * Moves octets of a file from `offset` to a socket that does not block; the file's own position is neither used nor
   * moved. Gives how many, 0 behind the file's end, `full` when the socket takes nothing now, `failed` otherwise.
   */
  sendfile(socket: number, file: number, offset: number, octets: number): number | 'full' | 'failed';
}

/** Undefined where there is none. To be called once: loading takes some milliseconds. */
export async function loadKernelCopy(): Promise<KernelCopy | undefined> {
  // Elsewhere `off_t` may have another width.
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined;
  try {
    const { default: koffi } = await import('koffi');
    const sendfile = koffi.load(null).func('intptr_t sendfile(int to, int from, int64_t *offset, size_t octets)');
    const position = new BigInt64Array(1);
    return {
      sendfile(socket, file, offset, octets) {
        position[0] = BigInt(offset);
        const moved = Number(sendfile(socket, file, position, octets));
        if (moved >= 0) return moved;
        const code = koffi.errno();
        return code === EAGAIN || code === EINTR ? 'full' : 'failed';
      },
    };
  } catch {
    return undefined;
  }
}
