/** What a process that hosts a broker node gives to it, and has of it. */
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/prng.ts'
import type { Sockets } from '../remoting/sockets.ts'
import type { OpenDatabase } from '../store/database.ts'
import type { FileSystem } from '../store/file-system.ts'
import type { Processes } from '../store/node-file-system.ts'
import type { Mode } from './group/group-mode.ts'
import type { Address } from './options/options-values.ts'

export interface BrokerParts {
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** Of this process: shown to people, and part of message ids. */
  readonly pid: number
  /** The disk of its folder; this machine's where none is handed in. */
  readonly fileSystem?: FileSystem
  /** Likewise: where the snapshot of its tables is, who else runs beside it, and how it reaches others. */
  readonly openDatabase?: OpenDatabase
  readonly processes?: Processes
  /** Tells one run of the machine from the next; null: it cannot. */
  readonly bootId?: () => string | null
  readonly sockets?: Sockets
  /** Called at every change, from a turn of its own. */
  readonly onStatus?: (status: BrokerStatus) => void
}

export interface BrokerStatus {
  readonly role: 'leader' | 'follower' | 'candidate'
  readonly term: number
  /** Id of the leader this node knows of, itself included. */
  readonly leader: string | null
  /**
   * A leader: an entry of its own term is applied and the name servers that answer have its route. Any other node: it
   * listens and knows its leader.
   */
  readonly isReady: boolean
  /** When the group acknowledges a send, by this node's log; null before the log says it (docs/durability.md). */
  readonly mode: Mode | null
}

export interface RunningBroker {
  /** Where it listens for clients (the port is the one bound, also where 0 was asked for). */
  readonly listens: Address
  readonly status: BrokerStatus
  /** Resolves when the node has ended: without a value after `close`, with the reason when its disk or an invariant failed. */
  readonly ended: Promise<Error | undefined>
  /** A clean stop: leadership handed over, what is in flight finished, everything flushed. Repeated calls join the first. */
  close(): Promise<void>
  /** Stops as `kill -9` would, as far as a process can do that to a part of itself: sockets gone, nothing flushed. */
  kill(): void
}
