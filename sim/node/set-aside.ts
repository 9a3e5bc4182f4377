import { Violation } from '../world/violation.ts'
import type { Cluster } from './cluster.ts'
import type { DeclaredLoss } from './declared-loss.ts'
import type { Sent } from './ledger.ts'

/** What a failover lost lies in the folder `lost` of whoever acknowledged it, unless that disk lost it, too, or is gone. */
export function expectSetAside({ machines, modes }: Pick<Cluster, 'machines' | 'modes'>, lost: readonly Sent[]): void {
  const isExcused = machines.some(({ disk, isGone }) => disk.isReplacement || disk.isRotten || isGone)
  if (modes.wasAsync.flush || isExcused) return
  const files = machines.flatMap(({ disk }) => [...disk.names].filter(([path]) => path.includes('/lost/')))
  const wrong = lost.find(({ id }) => !files.some(([, { bytes }]) => bytes.includes(`${id} `)))
  if (wrong === undefined) return
  throw new Violation('lost', `${wrong.id}, acknowledged at ${wrong.place}, is lost, and nobody set it aside`)
}

/** Whether every node that set something aside has told the group; one that lost its disk, or is gone, never will. */
export function isAllTold({ machines }: Pick<Cluster, 'machines'>, { toldBy }: DeclaredLoss): boolean {
  return machines.every(({ id, disk, isGone }) => {
    const isExcused = isGone || disk.isReplacement || disk.isRotten
    return isExcused || toldBy.has(id) || ![...disk.names.keys()].some((path) => path.includes('/lost/'))
  })
}
