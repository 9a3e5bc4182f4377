/** The package as others have it: its modules, its types, its command, and OpenTelemetry installed beside it. */
import assert from 'node:assert/strict'
import { type Compiler, InstalledPackage } from '../support/installed-package.ts'
import type { Scenario } from '../support/scenario.ts'

/** What an application imports, and the types it gets. */
const typed = `
import { Producer, PullConsumer, PushConsumer, TypedTopic, json, sql, type ReceivedMessage, type SendResult } from 'raftmq/client'
import { startCluster, type Cluster } from 'raftmq'

const producer: Producer = new Producer({ namesrv: 'a:1', group: 'g' })
export const sent: Promise<SendResult> = producer.send({ topic: 'T', body: 'x', delayMs: 1_000 })
export const orders: TypedTopic<{ id: number }> = new TypedTopic('T', json((value) => ({ id: Number(value) })))
const push = new PushConsumer({ namesrv: 'a:1', group: 'g' }).subscribe('T', sql('a > 1'))
void push.run((message: ReceivedMessage) => message.body.toString())
void new PullConsumer({ namesrv: 'a:1', group: 'g' }).poll({ timeoutMs: 1 })
export const cluster: Promise<Cluster> = startCluster({ nodes: 1 })

// @ts-expect-error -- a producer needs to know where the name server is
new Producer({ group: 'g' })
// @ts-expect-error -- there is no such way of sharing
new PushConsumer({ namesrv: 'a:1', group: 'g', model: 'sometimes' })
`

const compilers: readonly Compiler[] = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'esnext', moduleResolution: 'bundler' },
  { module: 'node16', moduleResolution: 'node16', isOldest: true },
  { module: 'esnext', moduleResolution: 'bundler', isOldest: true },
]

const T = 'ExampleTracedOrders'
/** The spans of the example, in the order they end. */
const spans = [
  `send ${T} (producer) in order`,
  'order (internal)',
  `bake (internal) in process ${T}`,
  `process ${T} (consumer) in send ${T}`,
  `audit (internal) in process ${T}`,
  `process ${T} (consumer) in send ${T}`,
  'traces: 1',
]

export const packed: readonly Scenario[] = [
  {
    name: 'the package, installed in a folder of its own: one trace from sender to handlers, its modules, command and types',
    timeoutMs: 180_000,
    async run(context) {
      const installed = await InstalledPackage.beside('opentelemetry')
      try {
        const said = await installed.runs('main.mjs', context.target.namesrv)
        assert.deepEqual(said.trim().split('\n'), spans)
        installed.write(
          'modules.mjs',
          `for (const name of ['raftmq', 'raftmq/client', 'raftmq/raft']) console.log(Object.keys(await import(name)).length > 0)`,
        )
        assert.equal(await installed.runs('modules.mjs'), 'true\n'.repeat(3))
        const command = 'node_modules/raftmq/dist/cli/main.js'
        assert.match(await installed.runs(command, 'topic', 'list', '-n', context.target.namesrv), new RegExp(T))
        installed.write('typed.mts', typed)
        for (const how of compilers) assert.equal(await installed.faults('typed.mts', how), '', JSON.stringify(how))
      } finally {
        installed.remove()
      }
    },
  },
]
