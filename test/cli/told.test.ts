import { afterAll, beforeAll, expect, test } from 'vitest'
import { register as config } from '../../src/cli/commands/config.ts'
import { register as group } from '../../src/cli/commands/group.ts'
import { register as kv } from '../../src/cli/commands/kv.ts'
import { register as mode } from '../../src/cli/commands/mode.ts'
import { register as permission } from '../../src/cli/commands/permission.ts'
import { register as topic } from '../../src/cli/commands/topic.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { runWith } from '../support/terminal.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 })
}, 60_000)
afterAll(() => cluster.close())

const commands = runWith([topic, group, kv, config, mode, permission])
const brokers = ['broker-a']
const broker = 'broker-a'

/** In this order: each needs what is before it. */
const writes: readonly (readonly [words: string, told: object])[] = [
  [
    'topic create T --queues 2 --type NORMAL',
    { topic: 'T', readQueues: 2, writeQueues: 2, permission: 'rw', ordered: false, type: 'NORMAL', brokers },
  ],
  ['topic order T --set broker-a:2', { topic: 'T', queues: 'broker-a:2' }],
  ['topic order T --delete', { topic: 'T', queues: null }],
  ['group create G', { group: 'G' }],
  [
    'group set G retryMaxTimes=3 retryQueueNums=2',
    { group: 'G', changes: { retryMaxTimes: '3', retryQueueNums: '2' } },
  ],
  ['group mode G -t T --mode pop', { group: 'G', topic: 'T', mode: 'pop', sharers: 0, brokers }],
  ['group create H', { group: 'H' }],
  ['group clone G H', { from: 'G', to: 'H', topic: null }],
  ['kv set N a 1', { namespace: 'N', key: 'a', value: '1' }],
  ['kv delete N a', { namespace: 'N', key: 'a' }],
  ['config set --broker broker-a transactionCheckMax=7', { broker, changes: { transactionCheckMax: '7' } }],
  ['mode set --broker broker-a --flush async', { broker, flush: 'async', replication: 'sync' }],
  ['permission wipe --broker broker-a', { broker, topics: expect.any(Number) }],
  ['permission restore --broker broker-a', { broker, topics: expect.any(Number) }],
  ['group delete G', { group: 'G' }],
  ['topic delete T', { topic: 'T' }],
]

test('what a command changed is said as one JSON document, which begins with the words of the command', async () => {
  for (const [words, told] of writes) {
    const [noun = '', verb = ''] = words.split(' ')
    const { out, notes, error } = await commands([...words.split(' '), '-n', cluster.namesrv, '--json'])
    expect([error, notes], words).toEqual([undefined, ''])
    expect(JSON.parse(out), words).toEqual({ done: `${noun} ${verb}`, ...told })
  }
})
