/**
 * What every replica holds in the end, read as anybody reads it, and compared: with each other, and with what clients were
 * told. No model of the queues is made anew from the bytes of the log.
 */
import { pull, type PullAnswer } from '../../src/client/core/broker-api.ts'
import { receivedMessages } from '../../src/client/core/received-message.ts'
import { subscriptionOf } from '../../src/client/core/subscription.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { RaftmqCode } from '../../src/remoting/codes.ts'
import { Violation } from '../world/violation.ts'
import type { Cluster } from './cluster.ts'
import { addressOf, type Machine } from './machine.ts'
import { idOf, QUEUES, TOPIC, type Workload } from './workload.ts'

interface TablesState {
  readonly appliedIndex: number
  readonly digest: string
}

/** Undefined while a node does not answer. */
async function tablesOf(workload: Workload, machine: Machine): Promise<TablesState | undefined> {
  try {
    const { fields } = await workload.invoke(addressOf(machine), { code: RaftmqCode.GET_TABLES_STATE })
    return { appliedIndex: Number(fields.get('appliedIndex')), digest: fields.get('digest') ?? '' }
  } catch {
    return undefined
  }
}

/** Whether all nodes stand at one entry; throws where their tables differ there. */
export async function hasConverged(cluster: Cluster, workload: Workload): Promise<boolean> {
  const states = await Promise.all(cluster.machines.map((machine) => tablesOf(workload, machine)))
  const [first] = states
  if (first === undefined || states.some((state) => state?.appliedIndex !== first.appliedIndex)) return false
  if (states.some((state) => state?.digest !== first.digest)) {
    const digests = states.map((state) => state?.digest).join(', ')
    throw new Violation('tables', `after entry ${first.appliedIndex} the tables differ: ${digests}`)
  }
  return true
}

/** The messages of all queues by their place, as `machine` serves them. */
export async function readAll(workload: Workload, machine: Machine): Promise<ReadonlyMap<string, string>> {
  const held = new Map<string, string>()
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    for (let next = 0, isMore = true; isMore; ) {
      const answer = await pullFrom(workload, machine, { queueId, queueOffset: next })
      if (answer === undefined) {
        // Damage that this very read found is being repaired; whoever asks again gets it.
        await workload.pause(200)
        continue
      }
      if (answer.status === 'offsetMoved') throw new Violation('queue', `${machine.id} moves ${queueId}/${next}`)
      const messages = answer.status === 'found' ? receivedMessages(answer.body, 'broker-a', true) : []
      for (const { queueOffset, body } of messages) {
        if (queueOffset !== next) {
          throw new Violation('queue', `${machine.id} serves ${queueOffset} where ${next} of queue ${queueId} belongs`)
        }
        held.set(`${TOPIC}/${queueId}/${queueOffset}`, idOf(body))
        next++
      }
      isMore = next < answer.maxOffset
    }
  }
  return held
}

/** Undefined when the node cannot answer now. */
async function pullFrom(
  workload: Workload,
  machine: Machine,
  { queueId, queueOffset }: { readonly queueId: number; readonly queueOffset: number },
): Promise<PullAnswer | undefined> {
  const request = {
    group: 'auditors',
    queue: { topic: TOPIC, brokerName: 'broker-a', queueId },
    queueOffset,
    maxMessages: 64,
    suspendTimeoutMs: 50,
    subscription: subscriptionOf(TOPIC, '*', 0),
  }
  try {
    return await pull(workload.invoke, addressOf(machine), request, { timeoutMs: 3000 })
  } catch (error) {
    if (errorCode(error) === 'CLIENT_REFUSED') return undefined
    throw error
  }
}

/** Every byte of the CommitLog, from where all have it. Not of a disk that rots: there only what is read is repaired. */
export function compareLogs(cluster: Cluster): void {
  const sound = cluster.machines.filter(({ disk }) => !disk.isRotten)
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
