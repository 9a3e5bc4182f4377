import { describe, expect, test } from 'vitest'
import { findProperty } from '../../../src/message/properties.ts'
import type { StoredMessage } from '../../../src/message/record.ts'
import { sendHeader } from '../processors/harness.ts'
import { expectOnceAndInTime, topicEntry } from './expectations.ts'
import { explore, losses, type Scenario } from './explore.ts'
import type { Group } from './group.ts'

const TIMER = 'rmq_sys_wheel_timer'

const delaysMs = new Map([
  ['first', 3_000],
  ['with-it', 3_000],
  ['taken-back', 3_700],
  ['last', 4_500],
])

/** Messages for times of their own, none of which is over before all are sent; one is taken back, and retention comes by and has all of them stored again. */
const timed: Scenario<undefined> = {
  prepared: [topicEntry('T')],
  async run(group) {
    const startMs = group.clock.nowMs()
    let recallHandle: unknown
    for (const [text, delayMs] of delaysMs) {
      const properties = `TIMER_DELIVER_MS\u0001${startMs + delayMs}\u0002UNIQ_KEY\u0001${text}\u0002`
      const { code, fields } = await group.ask(10, sendHeader('T', { properties }), text)
      expect(code).toBe(0)
      if (text === 'taken-back') recallHandle = fields['recallHandle']
    }
    await group.wait(300)
    keep(group)
    await group.wait(200)
    expect((await group.ask(370, { topic: 'T', recallHandle: String(recallHandle) })).code).toBe(0)
    await group.wait(7_000)
    return undefined
  },
  check(group) {
    const { log, timerIndex } = group.leader.harness
    const waiting = log.messages(TIMER, 0).filter((message) => !isRolled(message))
    expect(new Set(waiting.map(textOf))).toEqual(new Set(delaysMs.keys()))
    expectOnceAndInTime({
      waiting: waiting.filter((message) => textOf(message) !== 'taken-back'),
      come: log.messages('T', 0),
      dueMs: ({ properties }) => Number(findProperty(properties, 'TIMER_OUT_MS')),
      losses: group.losses,
    })
    expect(timerIndex.pending.size).toBe(0)
    if (group.losses === 0) expect(log.messages(TIMER, 0).filter(isRolled)).toHaveLength(delaysMs.size)
  },
}

/** What retention does before it drops all that is there now; a leader that is lost meanwhile just does not end it. */
function keep(group: Group): void {
  const { harness } = group.leader
  const end = harness.log.messages(TIMER, 0).at(-1)?.offset ?? 0
  harness.timers.keepBefore(end + 1).catch(() => undefined)
}

const isRolled = ({ properties }: StoredMessage): boolean => findProperty(properties, 'TIMER_ROLL_TIMES') !== undefined

const textOf = ({ body }: StoredMessage): string => body.toString()

describe.each(losses)('while of the leaders %s between any two steps', (how) => {
  test('a message for a time of its own is delivered once, not early, not skipped, and not once taken back', async () => {
    const { steps } = await explore(timed, how)
    expect(steps.length).toBeGreaterThan(30)
  })
})
