/** The ceiling as a contender: a broker that acknowledges at once and stores nothing. What is left is the client. */
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { javaLoad } from './java-load.ts'

const program = fileURLToPath(new URL('../../test/support/null-broker.js', import.meta.url))

export const nullBroker: Contender = {
  title: 'a broker that does nothing',
  load: javaLoad,
  async start({ children }) {
    const child = children.start(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
      child.once('exit', () => reject(new Error('the null broker ended before it told its port')))
    })
    return {
      address,
      nodes: () => Promise.resolve([{ role: 'leader', pid: child.pid ?? 0 }]),
      said: () => '',
      close: () => children.stop(child),
    }
  },
}
