/** `node scripts/chaos.mjs EXPERIMENT [arguments]`: runs one and says what held. */
import { errorMessage } from '../src/lib/errors.ts'
import type { Experiment, Verdict } from './experiment.ts'
import { killLeader } from './kill-leader.ts'

const experiments: Readonly<Record<string, Experiment>> = {
  'kill-leader': killLeader,
}

const [name = '', ...args] = process.argv.slice(2)
const experiment = Object.hasOwn(experiments, name) ? experiments[name] : undefined
if (experiment === undefined) {
  console.log(`An experiment, please, of ${Object.keys(experiments).join(', ')}`)
  process.exitCode = 1
} else {
  const verdicts = await experiment(args).catch((error: unknown): readonly Verdict[] => [
    { outcome: 'failed', text: `${name} ended early: ${errorMessage(error)}` },
  ])
  for (const { outcome, text } of verdicts) console.log(`${outcome}: ${text}`)
  const count = (outcome: Verdict['outcome']): number => verdicts.filter((one) => one.outcome === outcome).length
  console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
  process.exit(count('failed') === 0 ? 0 : 1)
}
