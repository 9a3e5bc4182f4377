import { describe, expect, test } from 'vitest'
import { findProperty } from '../../../src/message/properties.ts'
import type { StoredMessage } from '../../../src/message/record.ts'
import type { Request } from '../../../src/remoting/connection.ts'
import { FakeOrigin, sendHeader } from '../processors/harness.ts'
import { topicEntry } from './expectations.ts'
import { explore, losses, type Scenario } from './explore.ts'
import type { Group } from './group.ts'
import type { Leader } from './leader.ts'

const HALF = 'RMQ_SYS_TRANS_HALF_TOPIC'
const GIVEN_UP = 'TRANS_CHECK_MAX_TIME_TOPIC'
const COMMIT = 8
const ROLLBACK = 12
const CHECKS_MAX = 2

/** What the producer says of a message at its send, and when it is asked; undefined: nothing. */
const said: ReadonlyMap<string, { readonly first?: number; readonly asked?: number }> = new Map([
  ['committed', { first: COMMIT, asked: COMMIT }],
  ['rolled back', { first: ROLLBACK, asked: ROLLBACK }],
  ['committed when asked', { asked: COMMIT }],
  ['rolled back when asked', { asked: ROLLBACK }],
  ['never ended', {}],
])

/** Where a half is, as a producer says it. */
interface Place {
  readonly tranStateTableOffset: number
  readonly commitLogOffset: number
}

class Transacting implements Scenario<number> {
  readonly prepared = [topicEntry('T')]
  readonly options = {
    transactionCheckInterval: 1_000,
    transactionTimeOut: 500,
    transactionCheckMax: CHECKS_MAX,
  }
  readonly #producer = new FakeOrigin('10.0.0.9')

  joined({ harness }: Leader): void {
    const body = { clientID: 'p1', producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [] }
    harness.send(34, {}, JSON.stringify(body), { origin: this.#producer })
  }

  /** Returns how often the producer was asked after those that are never ended. */
  async run(group: Group): Promise<number> {
    this.#producer.received.length = 0
    for (const [text, { first }] of said) {
      const properties = `TRAN_MSG\u0001true\u0002PGROUP\u0001PG\u0002UNIQ_KEY\u0001${text}\u0002`
      const bornTimestamp = group.clock.nowMs()
      const { code, fields } = await group.ask(10, sendHeader('T', { sysFlag: 4, properties, bornTimestamp }), text)
      expect(code).toBe(0)
      const place: Place = {
        tranStateTableOffset: Number(fields['queueOffset']),
        commitLogOffset: Number.parseInt(String(fields['msgId']).slice(-16), 16),
      }
      if (first !== undefined) await this.#end(group, place, first)
    }
    let unanswered = 0
    let answered = 0
    for (let passed = 0; passed < 8_000; passed += 200) {
      await group.wait(200)
      for (; answered < this.#producer.received.length; answered++) {
        const question = this.#producer.received[answered]
        if (question?.code !== 39) continue
        const asked = said.get(String(question.header?.['msgId']))?.asked
        if (asked === undefined) unanswered++
        else await this.#end(group, placeIn(question), asked, true)
      }
    }
    return unanswered
  }

  check(group: Group, unanswered: number): void {
    const { log, halves } = group.leader.harness
    // A half whose answer was lost was sent again: another transaction.
    const begun = log.messages(HALF, 0).filter(({ properties }) => isFirst(properties))
    expect(new Set(begun.map(textOf))).toEqual(new Set(said.keys()))
    const committed = begun.filter((half) => said.get(textOf(half))?.asked === COMMIT)
    expect(log.messages('T', 0).map(textOf).toSorted()).toEqual(committed.map(textOf).toSorted())
    const neverEnded = begun.filter((half) => textOf(half) === 'never ended')
    expect(log.messages(GIVEN_UP, 0).map(textOf)).toEqual(neverEnded.map(textOf))
    expect(halves.from).toBe(log.messages(HALF, 0).length)
    const checks = neverEnded.length * CHECKS_MAX
    // A leader that is lost between writing down that it asks and asking leaves that one question unasked.
    expect(unanswered).toBeGreaterThanOrEqual(Math.max(neverEnded.length, checks - group.losses))
  }

  async #end(group: Group, place: Place, commitOrRollback: number, fromTransactionCheck = false): Promise<void> {
    const header = { producerGroup: 'PG', msgId: 'U', ...place, commitOrRollback, fromTransactionCheck }
    expect((await group.ask(37, header)).code).toBe(0)
  }
}

function placeIn({ header }: Request): Place {
  return {
    tranStateTableOffset: Number(header?.['tranStateTableOffset']),
    commitLogOffset: Number(header?.['commitLogOffset']),
  }
}

/** A half that the check stored again knows where it was first. */
const isFirst = (properties: Buffer): boolean => findProperty(properties, 'TRAN_PREPARED_QUEUE_OFFSET') === undefined

const textOf = ({ body }: StoredMessage): string => body.toString()

describe.each(losses)('while of the leaders %s between any two steps', (how) => {
  test('a transaction ends once, as its producer says, or is asked about and given up once', async () => {
    const { steps } = await explore(new Transacting(), how)
    expect(new Set(steps.map(({ what }) => what))).toContain('ask')
  })
})
