/** Whether ports are free: those a local cluster wants, asked before anything is made, or any that are. */
import { createServer } from 'node:net'
import { assert } from '../lib/assert.ts'
import { errorCode } from '../lib/errors.ts'
import type { Random } from '../lib/prng.ts'
import { HOST, planErrors, type NodePlan } from './cluster-plan.ts'

/** @throws `CLUSTER_INVALID` that names the first port in use, whose it is, and the option to change. */
export async function checkPortsAreFree(plans: readonly NodePlan[], namesrvPort: number): Promise<void> {
  const wanted = [
    { port: namesrvPort, whose: 'the name server', option: '--namesrv-port' },
    ...plans.flatMap(({ broker, id, ports }) => [
      { port: ports.client, whose: `${broker} ${id}`, option: '--port' },
      { port: ports.peer, whose: `${broker} ${id} for its peers`, option: '--port' },
    ]),
  ]
  for (const { port, whose, option } of wanted) {
    if (await isFree(port)) continue
    const message = `port ${port} of ${whose} is in use by another process: end that, or choose another ${option}`
    throw planErrors.create('CLUSTER_INVALID', message)
  }
}

/** Below what systems give to outgoing connections (from 32,768 on Linux), which come and go at any moment. */
const UNUSED_FROM = 15_000
const UNUSED_TO = 32_000
const DRAWS_MAX = 1_000

/** `count` ports, all different, on which nobody listened a moment ago. */
export async function unusedPorts(count: number, random: Random): Promise<readonly number[]> {
  const ports = new Set<number>()
  for (let draw = 0; ports.size < count; draw++) {
    assert(draw < DRAWS_MAX, `there are ${count} unused ports from ${UNUSED_FROM} to ${UNUSED_TO}`)
    const port = random.integer(UNUSED_FROM, UNUSED_TO)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

/** Any other trouble than a port in use is left to whoever listens there in earnest. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(errorCode(error) !== 'EADDRINUSE'))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}
