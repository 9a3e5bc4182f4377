import type { CommitTarget } from './commit-target.ts'

/** Told of every wait for the medium: when it begins, and when it has ended well. */
export interface SyncWatch {
  began(): void
  ended(): void
}

/** `target`, watched. */
export function watchedTarget(target: CommitTarget, watch: SyncWatch): CommitTarget {
  const watched = async (work: Promise<void>): Promise<void> => {
    watch.began()
    await work
    watch.ended()
  }
  return {
    write: (buffers, offset) => target.write(buffers, offset),
    writeDurable: (buffers, offset) => watched(target.writeDurable(buffers, offset)),
    sync: () => watched(target.sync()),
    roll: (start) => target.roll(start),
    truncate: (to) => target.truncate(to),
  }
}
