/** Scenario `consume`: a topic read from its start by a push consumer, again and again with new groups. */
import { join } from 'node:path'
import { LocalProcesses } from '../../chaos/local-processes.ts'
import { numberAt, runRaftmq } from '../command-line.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'
import { IN_FLIGHT } from './send.ts'

const MESSAGES = 1_000_000
const QUICK_MESSAGES = 50_000
const RUNS = 3
const FILL_SECONDS = 5
/** Longer than any run takes: it ends by itself at the end of the topic. */
const AT_MOST_SECONDS = 60

export const consume: Scenario = {
  name: 'consume',
  title: `own push consumer from the start of a topic, 128 B, ${MESSAGES.toLocaleString('en-US')} messages or more`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const dir = join(bench.dir, 'cluster')
  const cluster = await LocalProcesses.start({ nodes: 3, dir, flush: 'async', replication: 'sync' })
  try {
    const wanted = bench.isQuick ? QUICK_MESSAGES : MESSAGES
    const at = ['-n', cluster.namesrv, '--json']
    let stored = 0
    while (stored < wanted) {
      const fill = [
        '--size',
        '128',
        '--in-flight',
        String(IN_FLIGHT),
        '--seconds',
        String(bench.isQuick ? 1 : FILL_SECONDS),
      ]
      const { stdout } = await runRaftmq({ args: ['bench', 'send', ...at, ...fill] })
      stored += numberAt(stdout, 'acknowledged')
      bench.say(`${stored} of ${wanted} messages stored`)
    }
    await cluster.whole(0)
    const rates: number[] = []
    let least = Infinity
    for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
      const { stdout } = await runRaftmq({ args: ['bench', 'consume', ...at, '--seconds', String(AT_MOST_SECONDS)] })
      rates.push(numberAt(stdout, 'messagesPerSecond'))
      least = Math.min(least, numberAt(stdout, 'messages'))
      bench.say(`run ${number}: ${Math.round(rates.at(-1) ?? 0)} messages/s`)
    }
    if (least < stored) throw new Error(`a run saw ${least} messages where ${stored} were acknowledged`)
    return {
      metrics: [
        {
          name: 'consumed from the start, push consumer, 128 B',
          unit: '/s',
          values: rates,
          bar: { kind: 'least', value: 300_000, of: 'median' },
        },
        { name: 'messages of a run, at least', unit: '', values: [least] },
      ],
      notes: [],
    }
  } finally {
    await cluster.stop()
  }
}
