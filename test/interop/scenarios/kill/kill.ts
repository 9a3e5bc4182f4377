/** One kill of the leader in the middle of everything that an application does. */
import assert from 'node:assert/strict'
import { pause, type Scenario } from '../../support/scenario.ts'
import { consumers } from './consumers.ts'
import { requests } from './requests.ts'
import { release, type Row, type World } from './row.ts'
import { sends } from './sends.ts'

const rows: readonly Row[] = [...sends, ...consumers, ...requests]

/** Runs each row's part, all at once; fails with every row that did. */
async function each<T>(part: (row: Row, at: number) => Promise<T>): Promise<T[]> {
  const outcomes = await Promise.allSettled(rows.map((row, at) => part(row, at)))
  const failed = outcomes.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [`${rows[at]?.name}: ${String(outcome.reason)}`] : [],
  )
  assert.equal(failed.length, 0, failed.join('\n'))
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

export const kill: readonly Scenario[] = [
  {
    name: 'kill -9 of the leader in the middle of everything: each kind of message and consumer goes on as it began',
    skip: ({ nodes }) => (nodes < 3 ? 'there is nobody to take over' : undefined),
    timeoutMs: 240_000,
    async run(context) {
      const [one, two] = await Promise.all([context.driver({ release }), context.driver({ release })])
      await one.call('producer', { id: 'p', group: context.name('p-kill'), retries: 20 })
      const world: World = { context, one, two }
      const ends = await each((row) => row.begin(world))
      await context.target.killLeader()
      await pause(2_000)
      await each(async (_row, at) => ends[at]?.())
      context.note(rows.map(({ name }) => name).join('; '))
    },
  },
]
