/** What logs of these tests begin with, and what must hold of one in which messages waited. */
import { expect } from 'vitest'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { encodeProperties, findProperty } from '../../../src/message/properties.ts'
import type { StoredMessage } from '../../../src/message/record.ts'
import { draft } from '../../message/drafts.ts'
import type { MemoryEntry } from '../processors/memory-log.ts'

/** For what a tick, a read and a commit take, and for each leader that was lost. */
const LATE_MS = 300
const LATE_PER_LOSS_MS = 700

export function topicEntry(topic: string, queues = 1): MemoryEntry {
  const row = topicConfig(topic, { readQueueNums: queues, writeQueueNums: queues })
  return { command: { table: 'topics', op: 'create', args: [row] }, drafts: [], timestampMs: 1 }
}

/** Messages that lie in queue 0 of their topic from the beginning. */
export function messagesEntry(topic: string, texts: readonly string[]): MemoryEntry {
  const drafts = texts.map((text) =>
    draft({ topic, queueId: 0, body: Buffer.from(text), properties: encodeProperties([['UNIQ_KEY', text]]) }),
  )
  return { command: undefined, drafts, timestampMs: 1 }
}

/** What came is what waited, each once, of each key in its order, none before its time, none long behind it. */
export function expectOnceAndInTime(given: {
  readonly waiting: readonly StoredMessage[]
  readonly come: readonly StoredMessage[]
  readonly dueMs: (waiting: StoredMessage) => number
  readonly losses: number
}): void {
  const { waiting, come, dueMs, losses } = given
  expect(come.map(nameOf).toSorted()).toEqual(waiting.map(nameOf).toSorted())
  for (const name of new Set(waiting.map(nameOf))) {
    const arrived = come.filter((message) => nameOf(message) === name)
    const due = waiting.filter((message) => nameOf(message) === name).map(dueMs)
    for (const [at, { storeTimestampMs }] of arrived.entries()) {
      expect(storeTimestampMs, `${name} is early`).toBeGreaterThanOrEqual(due[at] ?? Infinity)
      const late = LATE_MS + LATE_PER_LOSS_MS * losses
      expect(storeTimestampMs, `${name} is late`).toBeLessThanOrEqual((due[at] ?? 0) + late)
    }
  }
}

/** One send is told from another, and one retry from the next. */
function nameOf({ properties, reconsumeTimes }: StoredMessage): string {
  return `${findProperty(properties, 'UNIQ_KEY')} ${reconsumeTimes}`
}
