/** One machine of the simulation: a disk that outlives processes, and at most one process. */
import type { Replica } from '../../src/raft/replica.ts'
import type { RoleState } from '../../src/raft/ports.ts'
import type { Index, NodeId } from '../../src/raft/types.ts'
import type { ProcessClock } from '../world/process-clock.ts'
import type { ReplicaView } from './checkers/committed.ts'
import { calmDisk, Disk, type DiskFaults, type Entry } from './disk.ts'
import type { OpenDisk } from './open-disk.ts'

export interface Process {
  readonly incarnation: number
  readonly clock: ProcessClock
  readonly replica: Replica<number>
  readonly disk: OpenDisk
  /** Newest process of each peer that this one heard of. */
  readonly met: Map<NodeId, number>
  /** When it heard of any, last. */
  metMs: number
  committed: Index
  role: RoleState
  atCommit: (() => void) | undefined
}

export class Machine {
  readonly id: NodeId
  disk: Disk
  process: Process | undefined
  incarnations = 0
  faults: DiskFaults = calmDisk
  /** Disks before wipes: each counts for leaders that have not met a process after it. */
  readonly ghosts: { readonly disk: Disk; readonly until: number }[] = []

  constructor(id: NodeId) {
    this.id = id
    this.disk = new Disk(0)
  }
}

export function viewOf(machine: Machine): ReplicaView {
  const { id, process: running } = machine
  if (running === undefined) throw new Error(`${id} is down`)
  return {
    id,
    // A role is told before what is committed in it.
    term: running.role.term,
    startIndex: running.disk.startIndex,
    lastIndex: running.disk.lastIndex,
    entryAt: (index) => running.disk.entryAt(index),
  }
}

/** Whether `entry` is durable at `index`, or was when the log began later. */
export function isIn(disk: Disk, index: Index, entry: Entry): boolean {
  if (index <= disk.startIndex) return true
  const durable = disk.entryAt(index)
  return durable?.term === entry.term && durable.value === entry.value
}
