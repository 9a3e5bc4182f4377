import assert from 'node:assert/strict'
import { ClientError } from '../support/driver.ts'
import { pause, type Scenario, until } from '../support/scenario.ts'

const release = 'client-5.5'

export const sql: readonly Scenario[] = [
  {
    name: 'a subscription by SQL92 takes what the properties fulfil, and a bad one is refused at the start',
    async run(context) {
      const topic = context.name('sql')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-sql') })
      for (const [amount, country] of [
        [50, 'CH'],
        [150, 'CH'],
        [250, 'AT'],
        [350, 'FR'],
      ] as const) {
        const body = `${country}${amount}`
        await driver.send('p', { topic, body, 'prop.amount': amount, 'prop.country': country })
      }
      await driver.send('p', { topic, body: 'bare' })
      const where = "amount BETWEEN 100 AND 300 AND country IN ('CH', 'AT') OR country STARTSWITH 'F'"
      await driver.call('push', { id: 'c', group: context.name('c-sql'), topic, sql: where })
      const bodies = (): string[] => driver.received('c').map(({ body }) => body ?? '')
      await until('three messages', () => bodies().length >= 3, bodies)
      await pause(500)
      assert.deepEqual(bodies().sort(), ['AT250', 'CH150', 'FR350'])
      const bad = { id: 'bad', group: context.name('c-bad'), topic, sql: 'amount > AND' }
      const refused = await driver.call('push', bad).catch((error: unknown) => error)
      assert.ok(refused instanceof ClientError, 'a bad expression is refused')
      context.note(refused.message.split('\n')[0] ?? '')
    },
  },
]
