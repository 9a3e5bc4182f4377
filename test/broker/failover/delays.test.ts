import { describe, expect, test } from 'vitest'
import type { StoredMessage } from '../../../src/message/record.ts'
import { DELAYS_MS, sendHeader } from '../processors/harness.ts'
import { explore, losses, type Scenario } from './explore.ts'
import { expectOnceAndInTime, messagesEntry, topicEntry } from './expectations.ts'

const SCHEDULE = 'SCHEDULE_TOPIC_XXXX'

const levels = new Map([
  ['first', 1],
  ['longer', 2],
  ['second', 1],
])

/** Messages of two levels are sent, and come. */
const delayed: Scenario<undefined> = {
  prepared: [topicEntry('T')],
  async run(group) {
    for (const [text, level] of levels) {
      const properties = `DELAY\u0001${level}\u0002UNIQ_KEY\u0001${text}\u0002`
      await group.ask(10, sendHeader('T', { properties }), text)
    }
    await group.wait(8_000)
    return undefined
  },
  check(group) {
    const { log } = group.leader.harness
    const come = log.messages('T', 0)
    for (const level of new Set(levels.values())) {
      const waiting = log.messages(SCHEDULE, level - 1)
      const texts = [...levels].flatMap(([text, of]) => (of === level ? [text] : []))
      expect(new Set(waiting.map(textOf))).toEqual(new Set(texts))
      expectOnceAndInTime({
        waiting,
        come: come.filter((message) => texts.includes(textOf(message))),
        dueMs: ({ storeTimestampMs }) => storeTimestampMs + (DELAYS_MS[level - 1] ?? 0),
        losses: group.losses,
      })
    }
  },
}

/** A consumer gives each message back until it came twice and lies in the dead-letter topic. */
const retried: Scenario<undefined> = {
  prepared: [topicEntry('T'), messagesEntry('T', ['again', 'hopeless'])],
  async run(group) {
    const back = (offset: number, given: object) =>
      group.ask(36, { group: 'CG', offset, delayLevel: 1, maxReconsumeTimes: 2, ...given })
    for (const message of group.leader.harness.log.messages('T', 0)) {
      const reply = await back(message.offset, textOf(message) === 'hopeless' ? { delayLevel: -1 } : {})
      expect(reply.code).toBe(0)
    }
    let seen = 0
    for (let passed = 0; passed < 9_000; passed += 200) {
      await group.wait(200)
      const come = group.leader.harness.log.messages('%RETRY%CG', 0)
      for (const { offset } of come.slice(seen)) expect((await back(offset, {})).code).toBe(0)
      seen = come.length
    }
    return undefined
  },
  check(group) {
    const { log } = group.leader.harness
    expectOnceAndInTime({
      waiting: log.messages(SCHEDULE, 0),
      come: log.messages('%RETRY%CG', 0),
      dueMs: ({ storeTimestampMs }) => storeTimestampMs + (DELAYS_MS[0] ?? 0),
      losses: group.losses,
    })
    const dead = log.messages('%DLQ%CG', 0).map((message) => `${textOf(message)} ${message.reconsumeTimes}`)
    expect(new Set(dead)).toEqual(new Set(['again 3', 'hopeless 1']))
    if (group.losses === 0) expect(dead).toHaveLength(2)
  },
}

const textOf = ({ body }: StoredMessage): string => body.toString()

describe.each(losses)('while of the leaders %s between any two steps', (how) => {
  test('a delayed message is delivered once, not early, not skipped', async () => {
    const { steps } = await explore(delayed, how)
    expect(new Set(steps.map(({ what }) => what))).toEqual(new Set(['propose', 'commit', 'tell', 'answer', 'read']))
  })

  test('a message that was sent back comes again once, not early, counted, and ends as a dead letter', async () => {
    const { steps } = await explore(retried, how)
    expect(steps.length).toBeGreaterThan(30)
  })
})
