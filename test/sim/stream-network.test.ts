import { expect, test } from 'vitest'
import { seededRandom } from '../../src/lib/prng.ts'
import { type Endpoint, StreamNetwork } from '../../sim/node/stream-network.ts'
import { Counts } from '../../sim/world/counts.ts'
import { ProcessClock } from '../../sim/world/process-clock.ts'
import { Scheduler } from '../../sim/world/scheduler.ts'
import { settle } from '../../sim/world/settle.ts'
import { Trace } from '../../sim/world/trace.ts'

test.each(Array.from({ length: 30 }, (_, i) => i))(
  'a stream keeps its order whatever is under way when its link is cut and healed (seed %i)',
  async (seed) => {
    const scheduler = new Scheduler()
    const random = seededRandom(seed)
    const parts = { counts: new Counts(), trace: new Trace(undefined), onUnread: () => {} }
    const network = new StreamNetwork({ scheduler, random, ...parts })
    network.faults = { maxDelayMs: 5, slowRate: 0.3, slowMs: 50, sliceRate: 0.5 }
    const endpoint = (host: string): Endpoint => ({ host, clock: new ProcessClock(scheduler, (work) => work()) })
    let received = ''
    const run = async (untilMs: number): Promise<void> => {
      while (scheduler.step(untilMs)) await settle()
    }
    await network.socketsOf(endpoint('b')).listen({
      host: 'b',
      port: 1,
      accept(socket) {
        socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
      },
      failed(error) {
        throw error
      },
    })
    const socket = network.socketsOf(endpoint('a')).connect({ host: 'b', port: 1 })
    await run(200)
    let sent = ''
    for (let at = 0; at < 40; at++) {
      const text = `piece ${at};`
      sent += text
      socket.write(Buffer.from(text))
      if (at % 10 === 3) network.cut('a', 'b')
      if (at % 10 === 8) network.heal()
      await run(200 + at * 10)
    }
    await run(5000)
    expect(received).toBe(sent)
  },
)
