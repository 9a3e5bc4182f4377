import { describe, expect, test } from 'vitest'
import { popRetryTopic } from '../../../src/broker/pop/receipt.ts'
import { subscriptionGroup } from '../../../src/broker/tables/subscription-groups.ts'
import { decodeRecords, type StoredMessage } from '../../../src/message/record.ts'
import type { MemoryEntry } from '../processors/memory-log.ts'
import type { TestReply } from '../processors/harness.ts'
import { messagesEntry, topicEntry } from './expectations.ts'
import { explore, losses, type Scenario } from './explore.ts'
import type { Group } from './group.ts'

const INVISIBLE_MS = 2_000
const LONGER_MS = 3_500
/** How the places of each version's retry topic are marked in receipts (RocketMQ ExtraInfoUtil). */
const retryMarks: ReadonlyMap<string, string> = new Map([
  [popRetryTopic('T', 'CG', false), '1'],
  [popRetryTopic('T', 'CG', true), '2'],
])

/** What a consumer was handed, in an answer that reached it. */
interface Delivery {
  readonly text: string
  readonly atMs: number
  readonly popTimeMs: number
  /** Not visible to anybody else before. */
  visibleMs: number
  ackedMs: number | undefined
  readonly receipt: { readonly topic: string; readonly queueId: number; readonly offset: number; extraInfo: string }
}

const groupEntry: MemoryEntry = {
  command: { table: 'subscriptionGroups', op: 'create', args: [subscriptionGroup('CG')] },
  drafts: [],
  timestampMs: 1,
}

class Consumer {
  readonly deliveries: Delivery[] = []
  readonly #group: Group
  readonly #isOrdered: boolean

  constructor(group: Group, isOrdered: boolean) {
    this.#group = group
    this.#isOrdered = isOrdered
  }

  /** Pops once; nothing when no answer came. */
  async pop(): Promise<Delivery[]> {
    const header = { consumerGroup: 'CG', topic: 'T', queueId: this.#isOrdered ? 0 : -1, maxMsgNums: 2 }
    const times = { invisibleTime: INVISIBLE_MS, pollTime: 0, bornTime: 0, initMode: 0 }
    const reply = await this.#group.try(200_050, { ...header, ...times, order: this.#isOrdered })
    if (reply?.code !== 0) return []
    const found = decodeRecords(reply.bytes).map((message) => this.#delivery(reply, message))
    this.deliveries.push(...found)
    return found
  }

  async acknowledge(delivery: Delivery): Promise<void> {
    expect((await this.#group.ask(200_051, { consumerGroup: 'CG', ...delivery.receipt })).code).toBe(0)
    delivery.ackedMs = this.#group.clock.nowMs()
  }

  async hideLonger(delivery: Delivery): Promise<void> {
    const { receipt } = delivery
    const asked = { consumerGroup: 'CG', ...receipt, invisibleTime: LONGER_MS }
    const { code } = await this.#group.ask(200_053, asked)
    expect(code).toBe(0)
    // Asked again after a change whose answer was lost, it is answered with success and changes nothing.
    delivery.visibleMs = delivery.atMs + LONGER_MS
  }

  #delivery({ fields }: TestReply, message: StoredMessage): Delivery {
    const { topic, queueId, queueOffset } = message
    const flag = retryMarks.get(topic) ?? '0'
    const starts = String(fields['startOffsetInfo'])
      .split(';')
      .map((part) => part.split(' '))
    const start = starts.find(([of, id]) => of === flag && Number(id) === queueId)?.[2]
    const times = `${String(fields['popTime'])} ${INVISIBLE_MS} ${String(fields['reviveQid'])}`
    const popTimeMs = Number(fields['popTime'])
    return {
      text: message.body.toString(),
      atMs: this.#group.clock.nowMs(),
      popTimeMs,
      visibleMs: popTimeMs + INVISIBLE_MS,
      ackedMs: undefined,
      receipt: {
        topic,
        queueId,
        offset: queueOffset,
        extraInfo: `${start} ${times} ${flag} broker-a ${queueId} ${queueOffset}`,
      },
    }
  }
}

function expectLeases(deliveries: readonly Delivery[], texts: readonly string[]): void {
  for (const text of texts) {
    const own = deliveries.filter((delivery) => delivery.text === text)
    expect(own.at(-1)?.ackedMs, `${text} is acknowledged`).toBeDefined()
    for (const [at, delivery] of own.entries()) {
      const next = own[at + 1]
      if (next === undefined) continue
      expect(next.popTimeMs, `${text} comes again early`).toBeGreaterThanOrEqual(delivery.visibleMs)
      expect(delivery.ackedMs, `${text} comes again though it was acknowledged`).toBeUndefined()
    }
  }
}

const texts = ['acked', 'hidden longer', 'left', 'left too']

/** One message is acknowledged, one hidden longer, the rest left; what comes again is acknowledged. */
const popped = (isV2: boolean): Scenario<Consumer> => ({
  options: { enableRetryTopicV2: isV2 },
  prepared: [topicEntry('T'), groupEntry, topicEntry(popRetryTopic('T', 'CG', isV2)), messagesEntry('T', texts)],
  async run(group) {
    const consumer = new Consumer(group, false)
    const touched = new Set<string>()
    for (let passed = 0; passed < 9_000; passed += 200) {
      await group.wait(200, 100)
      for (const delivery of await consumer.pop()) {
        const isNew = !touched.has(delivery.text)
        touched.add(delivery.text)
        if (delivery.text === 'acked' || !isNew) await consumer.acknowledge(delivery)
        else if (delivery.text === 'hidden longer') await consumer.hideLonger(delivery)
      }
    }
    return consumer
  },
  check(group, { deliveries }) {
    const { log, checkpoints } = group.leader.harness
    expectLeases(deliveries, texts)
    expect([...checkpoints.all()]).toEqual([])
    // Each comes again once for each time that it was not acknowledged.
    const again = log
      .messages(popRetryTopic('T', 'CG', isV2), 0)
      .map(({ body, reconsumeTimes }) => `${body.toString()} ${reconsumeTimes}`)
    expect(again.length).toBeGreaterThan(0)
    expect(new Set(again).size, again.join()).toBe(again.length)
    expect(log.messages(popRetryTopic('T', 'CG', !isV2), 0)).toEqual([])
  },
})

/** Two at a time, in order, acknowledged one after the other; one of them is left once. */
const inOrder: Scenario<Consumer> = {
  prepared: [topicEntry('T'), groupEntry, messagesEntry('T', texts)],
  async run(group) {
    const consumer = new Consumer(group, true)
    let wasLeft = false
    for (let passed = 0; passed < 12_000; passed += 250) {
      await group.wait(250, 125)
      for (const delivery of await consumer.pop()) {
        await group.wait(50)
        if (delivery.text === 'hidden longer' && !wasLeft) wasLeft = true
        else await consumer.acknowledge(delivery)
      }
    }
    return consumer
  },
  check(group, { deliveries }) {
    expectLeases(deliveries, texts)
    const first = [...new Set(deliveries.map(({ text }) => text))]
    expect(first).toEqual(texts)
    expect(group.leader.harness.offsets.get('T', 'CG', 0)).toBe(texts.length)
  },
}

describe.each(losses)('while of the leaders %s between any two steps', (how) => {
  describe.each([
    ['V1', false],
    ['V2', true],
  ])('with retry topics %s', (_version, isV2) => {
    test('a popped message that was acknowledged stays away, and any other comes again once, when its time is up', async () => {
      const { steps } = await explore(popped(isV2), how)
      expect(steps.length).toBeGreaterThan(60)
    })
  })

  test('an ordered pop keeps the order, and gives nothing while it waits', async () => {
    const { steps } = await explore(inOrder, how)
    expect(steps.length).toBeGreaterThan(60)
  })
})
