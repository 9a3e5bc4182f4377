/** The groups that `raftmq compare` measures and breaks: processes of this package, each group in a folder of its own. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Admin } from '../../client/index.ts'
import type { Group, Groups } from '../../compare/group.ts'
import type { DeclaredLoss } from '../../compare/results.ts'
import type { Setup } from '../../compare/setups.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { lossesOf } from '../commands/loss-text.ts'
import { FaultyCluster } from './faulty-cluster.ts'

export interface ComparedGroupsNeeds {
  /** Made and removed by this; nothing else is in it. */
  readonly dir: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

const ANSWER_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 20

export class ComparedGroups implements Groups {
  readonly #need: ComparedGroupsNeeds
  readonly #open = new Set<Promise<ComparedGroup>>()
  #count = 0

  constructor(need: ComparedGroupsNeeds) {
    this.#need = need
    this.#clear()
  }

  async start(setup: Setup, { keepsBack }: { readonly keepsBack: boolean }): Promise<Group> {
    const { dir, clock, signal } = this.#need
    this.#count += 1
    const folder = join(dir, String(this.#count))
    const disk = keepsBack ? 'kept-back' : 'plain'
    const starting = FaultyCluster.start({ ...setup, dir: folder, disk, signal }).then(
      (cluster) => new ComparedGroup(cluster, { folder, clock, signal }),
    )
    this.#open.add(starting)
    const group = await starting
    await group.hasMode(setup)
    return group
  }

  /** Ends whatever still runs, and removes the folder. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((starting) => starting.then((group) => group.close()).catch(() => undefined)))
    this.#clear()
  }

  #clear(): void {
    removeFolder(this.#need.dir)
  }
}

interface GroupNeeds {
  readonly folder: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

class ComparedGroup implements Group {
  readonly namesrv: string
  readonly #cluster: FaultyCluster
  readonly #how: GroupNeeds
  readonly #admin: Admin
  #closed: Promise<void> | undefined

  constructor(cluster: FaultyCluster, how: GroupNeeds) {
    this.#cluster = cluster
    this.#how = how
    this.namesrv = cluster.namesrv
    this.#admin = new Admin({ namesrv: cluster.namesrv, clock: how.clock })
  }

  /** A group is strict until its log says the mode: resolves when it does. */
  async hasMode({ flush, replication }: Setup): Promise<void> {
    await this.#leaderSays((runtime) => {
      const isSet = runtime.get('raftmq.mode.flush') === flush && runtime.get('raftmq.mode.replication') === replication
      return isSet ? true : undefined
    })
  }

  async bytesWritten(): Promise<{ readonly bytes: number; readonly from: 'system' | 'logs' }> {
    const counted = this.#cluster.nodes.map(({ pid }) => (pid === undefined ? undefined : writtenBy(pid)))
    const bytes = counted.reduce<number>((sum, one) => sum + (one ?? 0), 0)
    // A file system in memory is not counted, nor is anything on most systems.
    if (bytes > 0 && !counted.includes(undefined)) return { bytes, from: 'system' }
    const nodes = await this.#admin.nodes()
    const ends = nodes.map(({ runtime }) => Number(runtime?.get('raftmq.endOffset') ?? 0))
    return { bytes: ends.reduce((sum, end) => sum + end, 0), from: 'logs' }
  }

  async victims(fault: 'kill' | 'power'): Promise<{ kill(): Promise<void>; revive(): void }> {
    const nodes = fault === 'kill' ? [await this.#cluster.led()] : this.#cluster.nodes
    return {
      async kill() {
        await Promise.all(nodes.map((node) => node.kill()))
      },
      revive() {
        for (const node of nodes) node.start()
      },
    }
  }

  serving(): Promise<void> {
    return this.#cluster.serving()
  }

  losses(): Promise<readonly DeclaredLoss[]> {
    return this.#leaderSays((runtime) =>
      lossesOf(runtime.get('raftmq.losses') ?? null).map(({ term, maxBytes, inDoubt, found }) => ({
        term,
        maxBytes,
        inDoubt,
        foundMessages: found?.messages ?? null,
      })),
    )
  }

  /** Repeated calls join the first. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.#admin.close()
    await this.#cluster.kill()
    removeFolder(this.#how.folder)
  }

  /** What `read` finds in the runtime information of the leader, once it finds something. */
  async #leaderSays<T>(read: (runtime: ReadonlyMap<string, string>) => T | undefined): Promise<T> {
    const { clock, signal } = this.#how
    const endMs = clock.monotonicMs() + ANSWER_WITHIN_MS
    while (clock.monotonicMs() < endMs) {
      const nodes = await this.#admin.nodes().catch(() => [])
      const leader = nodes.find(({ runtime }) => runtime?.get('raftmq.role') === 'leader')
      const found = leader?.runtime === undefined ? undefined : read(leader.runtime)
      if (found !== undefined) return found
      await sleep(clock, LOOK_EVERY_MS, signal)
    }
    throw new Error(`no leader of the group answers within ${ANSWER_WITHIN_MS / 1_000} s`)
  }
}

/** Bytes that the process caused to be written to storage; undefined where the system does not say it (not Linux). */
function writtenBy(pid: number): number | undefined {
  try {
    const line = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))
    return line === null ? undefined : Number(line[1])
  } catch {
    return undefined
  }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}
