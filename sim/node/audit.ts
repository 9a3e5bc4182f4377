/**
 * What every replica holds in the end, read as anybody reads it, and compared: with each other, with the bytes of the log,
 * and with what clients were told.
 */
import { RaftmqCode } from '../../src/remoting/codes.ts'
import { Violation } from '../world/violation.ts'
import type { ClientHost } from './client-host.ts'
import type { Disk } from './disk.ts'
import { Holding } from './holding.ts'
import { addressOf, type Machine } from './machine.ts'
import { QUEUES, TOPIC } from './messages.ts'
import { naiveQueues, queueKey, type NaiveQueue } from './naive-queues.ts'
import { type HeldQueue, readQueue } from './read-queue.ts'

interface TablesState {
  readonly appliedIndex: number
  readonly digest: string
}

/** Undefined while a node does not answer. */
async function tablesOf(host: ClientHost, machine: Machine): Promise<TablesState | undefined> {
  try {
    const { fields } = await host.invoke(addressOf(machine), { code: RaftmqCode.GET_TABLES_STATE })
    return { appliedIndex: Number(fields.get('appliedIndex')), digest: fields.get('digest') ?? '' }
  } catch {
    return undefined
  }
}

/** The entry that all nodes stand at, once they do; throws where their tables differ there. */
export async function convergedAt(machines: readonly Machine[], host: ClientHost): Promise<number | undefined> {
  const states = await Promise.all(machines.map((machine) => tablesOf(host, machine)))
  const [first] = states
  if (first === undefined || states.some((state) => state?.appliedIndex !== first.appliedIndex)) return undefined
  if (states.some((state) => state?.digest !== first.digest)) {
    const digests = states.map((state) => state?.digest).join(', ')
    throw new Violation('tables', `after entry ${first.appliedIndex} the tables differ: ${digests}`)
  }
  return first.appliedIndex
}

/**
 * The plain messages by their place, as `machine` serves them. Every queue that has an entry up to `index` in the log on
 * `disk` is read, and must be what the bytes of that log alone say.
 */
export async function readAll(
  host: ClientHost,
  machine: Machine,
  { disk, index }: { readonly disk: Disk; readonly index: number },
): Promise<Holding> {
  const holding = new Holding()
  const plain = Array.from({ length: QUEUES }, (_, queueId) => emptyQueue(TOPIC, queueId))
  const queues = new Map(plain.map((queue) => [queueKey(queue), queue]))
  for (const [key, queue] of naiveQueues(disk, index)) queues.set(key, queue)
  for (const [key, queue] of queues) {
    const held = await readQueue(host, machine, queue)
    // Time goes on: what was due meanwhile is in queue and log.
    expectSame(`${machine.id} and ${key}`, held, { least: queue, now: naiveQueues(disk, Infinity).get(key) ?? queue })
    if (queue.topic === TOPIC) holding.add(key, held)
  }
  return holding
}

/** Of a queue that has nothing in the log any more the log does not say where it ends. */
function emptyQueue(topic: string, queueId: number): NaiveQueue {
  return { topic, queueId, first: 0, units: [] }
}

function expectSame(
  where: string,
  { minimum, messages }: HeldQueue,
  { least, now }: { readonly least: NaiveQueue; readonly now: NaiveQueue },
): void {
  if (now.units.length === 0 && messages.length === 0) return
  const end = minimum + messages.length
  if (end < least.first + least.units.length || end > now.first + now.units.length) {
    throw new Violation('queue', `${where} ends at ${end}, and by the log at ${now.first + now.units.length}`)
  }
  for (const { queueOffset, offset, bytes } of messages) {
    const unit = now.units[queueOffset - now.first]
    if (unit?.offset === offset && unit.bytes === bytes) continue
    throw new Violation('queue', `${where}: ${queueOffset} lies at ${offset}, and by the log at ${unit?.offset}`)
  }
}

/** The disk with the longest log of those that do not rot. */
export function longestLog(machines: readonly Machine[]): Disk {
  const [longest] = machines
    .map(({ disk }) => disk)
    .filter(({ isRotten }) => !isRotten)
    .sort((a, b) => logBytes(b) - logBytes(a))
  if (longest === undefined) throw new Violation('replicas', 'every disk rots')
  return longest
}

function logBytes(disk: Disk): number {
  let sum = 0
  for (const [path, { size }] of disk.names) if (/\/commitlog\/\d{20}$/.test(path)) sum += size
  return sum
}

/** Every byte of the CommitLog, from where all have it. Not of a disk that rots: there only what is read is repaired. */
export function compareLogs(machines: readonly Machine[]): void {
  const sound = machines.filter(({ disk }) => !disk.isRotten)
  const logs = sound.map((machine) => ({ id: machine.id, segments: segmentsOf(machine) }))
  const [first, ...others] = logs
  if (first === undefined) return
  for (const { id, segments } of others) {
    for (const [name, bytes] of segments) {
      const other = first.segments.get(name)
      if (other === undefined) continue
      const length = Math.min(bytes.length, other.length)
      if (!bytes.subarray(0, length).equals(other.subarray(0, length))) {
        throw new Violation(
          'replicas',
          `segment ${name} of ${first.id} and ${id} differ in their first ${length} bytes`,
        )
      }
    }
  }
}

function segmentsOf(machine: Machine): ReadonlyMap<string, Buffer> {
  const segments = new Map<string, Buffer>()
  for (const [path, { bytes }] of machine.disk.names) {
    const name = /\/commitlog\/(\d{20})$/.exec(path)?.[1]
    if (name !== undefined) segments.set(name, bytes)
  }
  return segments
}
