/** Whether the ports of a local cluster are free, asked before anything is made. */
import { createServer } from 'node:net'
import { errorCode } from '../lib/errors.ts'
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

/** Any other trouble than a port in use is left to whoever listens there in earnest. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(errorCode(error) !== 'EADDRINUSE'))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}
