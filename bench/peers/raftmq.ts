/** RaftMQ as a contender: `raftmq up` of the built package, three nodes. */
import { LocalProcesses } from '../../chaos/local-processes.ts'
import { ownLoad } from '../load/load-process.ts'
import type { Contender } from './contender.ts'
import { javaLoad } from './java-load.ts'

type Flush = 'sync' | 'async'

const NODES = 3

export const raftmqUnderJava = (flush: Flush): Contender => ({ ...raftmq(flush), load: javaLoad })

export const raftmqUnderOwnClient = (flush: Flush): Contender => ({
  ...raftmq(flush),
  load: () => Promise.resolve(ownLoad),
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
