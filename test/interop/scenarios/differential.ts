/** The same script against a stock broker and against RaftMQ: what comes of each step is the same, or known to differ. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assignments } from '../differential/assignments.ts'
import { clients } from '../differential/clients.ts'
import { consumers } from '../differential/consumers.ts'
import { differences } from '../differential/differences.ts'
import { reads } from '../differential/reads.ts'
import { replies } from '../differential/replies.ts'
import { creations, sends } from '../differential/sends.ts'
import { runSteps, type Step } from '../differential/steps.ts'
import { ends, halves } from '../differential/transactions.ts'
import { Driver } from '../support/driver.ts'
import { checkout } from '../support/places.ts'
import { leaderAddress, startRaftmq } from '../support/raftmq.ts'
import { pause, type Scenario } from '../support/scenario.ts'
import { startStock } from '../support/stock.ts'
import { closeAll, startAll, type Target } from '../support/target.ts'

const first: readonly Step[] = [...creations, ...sends, ...halves]
const then: readonly Step[] = [...reads, ...consumers, ...ends, ...assignments, ...replies]
const script: readonly Step[] = [...first, ...then, ...clients]
/** Off in a stock broker unless asked for, and on in a cluster of `raftmq up`. */
const properties = ['enablePropertyFilter=true', 'recallMessageEnable=true']

export const differential: readonly Scenario[] = [
  {
    name: 'a script of requests and of client calls gives the same as against a stock broker',
    skip: (target) => (target.name === 'raftmq' ? undefined : 'it is what is compared with'),
    timeoutMs: 300_000,
    async run(context) {
      assert.equal(new Set(script.map(({ name }) => name)).size, script.length, 'every step has a name of its own')
      // Both are new and ours alone: what others send shows in the queues that all delayed messages share.
      const targets = await startAll([startRaftmq, () => startStock({ properties })])
      try {
        const name = (stem: string): string => context.name(`diff-${stem}`)
        const [here = [], there = []] = await Promise.all(targets.map((target) => runAgainst(target, name)))
        const wrong = script.flatMap((step, at) => faultOf(step, here[at] ?? '', there[at] ?? ''))
        assert.equal(wrong.length, 0, `${wrong.length} of ${script.length} steps:\n${wrong.join('\n')}`)
        context.note(`${script.length} steps, ${Object.keys(differences).length} known to differ`)
      } finally {
        await closeAll(targets)
      }
    },
  },
]

async function runAgainst(target: Target, name: (stem: string) => string): Promise<string[]> {
  const driver = await Driver.start({ release: 'client-5.5', namesrv: target.namesrv })
  try {
    // A stock broker indexes what was sent, and registers what was made, a little later.
    const { namesrv } = target
    const place = { address: await leaderAddress(namesrv), namesrv, driver, name, notes: new Map<string, string>() }
    const made = await runSteps(first, place)
    await pause(1_500)
    const rest = await Promise.all([runSteps(then, place), runSteps(clients, place)])
    return [...made, ...rest.flat()]
  } finally {
    await driver.close()
  }
}

function faultOf({ name }: Step, here: string, stock: string): string[] {
  const known = differences[name]
  if (known === undefined) return here === stock ? [] : [`${name}\n    stock ${stock}\n    here  ${here}`]
  const page = readFileSync(join(checkout, 'docs/compatibility.md'), 'utf8')
  if (!page.includes(known.documented)) return [`${name}: docs/compatibility.md does not say: ${known.documented}`]
  if (known.here === here && known.stock === stock) return []
  return [
    `${name} is known to differ otherwise\n    stock ${stock}, known as ${known.stock}\n    here  ${here}, known as ${known.here}`,
  ]
}
