/** RaftMQ as a contender: `raftmq up` of the built package, three nodes. */
import { fileURLToPath } from 'node:url'
import { LocalProcesses } from '../../chaos/local-processes.ts'
import type { Contender } from './contender.ts'
import { javaLoad } from './java-load.ts'

type Flush = 'sync' | 'async'

const NODES = 3

/** Our own client's load program, compiled beside this one. */
const ownLoad = fileURLToPath(new URL('./own-load.js', import.meta.url))

export const raftmqUnderJava = (flush: Flush): Contender => ({ ...raftmq(flush), load: javaLoad })

export const raftmqUnderOwnClient = (flush: Flush): Contender => ({
  ...raftmq(flush),
  load: () => Promise.resolve({ command: process.execPath, args: [ownLoad] }),
})

function raftmq(flush: Flush): Omit<Contender, 'load'> {
  return {
    title: `RaftMQ, ${NODES} nodes, ${flush} flush, sync replication`,
    async start({ dir, children }) {
      const cluster = await LocalProcesses.start({
        nodes: NODES,
        dir,
        flush,
        replication: 'sync',
        spawn: (command, args, options) => children.start(command, args, options),
      })
      await cluster.whole(0)
      return {
        address: cluster.namesrv,
        nodes: () => cluster.nodes(),
        said: () => '',
        close: () => cluster.stop(),
      }
    },
  }
}
