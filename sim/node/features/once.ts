/** What the broker stores once, in its topic's queues: everything that lasts, and nothing twice. */
import { Violation } from '../../world/violation.ts'
import { idOf } from '../bodies.ts'
import type { ClientHost } from '../client-host.ts'
import type { Machine } from '../machine.ts'
import { readQueue } from '../read-queue.ts'
import type { Sends } from './sends.ts'

export interface OnceNeeds {
  readonly topic: string
  readonly queues: number
  readonly sends: Sends
  /** False: what is not there may still come. */
  readonly isSettled: boolean
  /** Whether the message is to be there; all are, where nothing is said. */
  readonly isWanted?: (id: string) => boolean
  /** Whether the message may be missing; none may, where nothing is said. */
  readonly isOptional?: (id: string) => boolean
}

/** Throws where a message that lasts is missing, one that must not be is there, or one is there too often. */
export async function expectOnce(host: ClientHost, machine: Machine, need: OnceNeeds): Promise<void> {
  const { topic, queues, sends, isSettled, isWanted = () => true, isOptional = () => false } = need
  const times = new Map<string, number>()
  for (let queueId = 0; queueId < queues; queueId++) {
    const { messages } = await readQueue(host, machine, { topic, queueId })
    for (const { body } of messages) {
      const id = idOf(body)
      times.set(id, (times.get(id) ?? 0) + 1)
    }
  }
  for (const { id, isLasting } of sends.all.values()) {
    if (!isSettled || !isLasting || !isWanted(id) || isOptional(id) || times.has(id) || sends.isDropped(id)) continue
    throw new Violation('loss', `${machine.id} has no ${id} in ${topic}`)
  }
  for (const [id, count] of times) {
    if (!isWanted(id)) throw new Violation('unwanted', `${machine.id} has ${id} in ${topic}`)
    if (count > 1 && sends.all.get(id)?.mayBeTwice === false) {
      throw new Violation('twice', `${machine.id} has ${id} ${count} times in ${topic}`)
    }
  }
}
