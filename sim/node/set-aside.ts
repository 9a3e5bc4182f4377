import { Violation } from '../world/violation.ts'
import type { Cluster } from './cluster.ts'
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
