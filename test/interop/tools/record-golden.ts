import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Driver } from '../support/driver.ts'
import { checkout } from '../support/places.ts'
import { freePorts } from '../support/ports.ts'
import { mqadmin, startStock } from '../support/stock.ts'
import { type Recorded, type Recorder, startRecorder } from './recorder.ts'

const folder = join(checkout, 'test/remoting/golden')
const largestBytes = 12 * 1024
/** Codes kept of the 4.9 client's frames: the others differ from the 5.5 client's in nothing but numbers. */
const oldCodes = new Set([11, 14, 15, 34, 36, 38, 40, 105, 310, 320])
/** Codes kept with the binary header: the rest have no kind of field that these have not. */
const binaryCodes = new Set([11, 12, 14, 15, 34, 36, 38, 40, 103, 105, 310, 320, 361])
/** What brokers and consumers say by themselves while mqadmin is at work. */
const unasked = new Set([11, 14, 15, 34, 38, 103])

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i > 600) throw new Error(`waited a minute for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function client(
  recorder: Recorder,
  namesrv: string,
  release: 'client-5.5' | 'client-4.9',
  json: boolean,
): Promise<void> {
  recorder.label = release === 'client-5.5' ? '5.5.0' : '4.9.8'
  const name = `${release}-${json ? 'json' : 'rocketmq'}`.replaceAll('.', '-')
  const driver = await Driver.start({ release, namesrv, serializer: json ? 'JSON' : 'ROCKETMQ', clientIp: '127.0.0.1' })
  const topic = `golden-${name}`
  try {
    await driver.call('producer', { id: 'p', group: `${name}-producer`, instance: 'golden' })
    await driver.send('p', { topic, body: 'first', tags: 'A', keys: 'k0', 'prop.colour': 'grün' })
    await driver.call('push', {
      id: 'c',
      group: `${name}-consumer`,
      topic,
      tags: 'A || B',
      failBelow: 1,
      instance: 'golden',
    })
    const [sent] = await driver.send('p', { topic, body: 'sync', tags: 'A', keys: 'key1 key2', count: 2 })
    await driver.send('p', { topic, body: 'async', tags: 'B', mode: 'async' })
    await driver.send('p', { topic, body: 'one way', tags: 'B', mode: 'oneway' })
    await driver.send('p', { topic, bodyBytes: 5_000, tags: 'C' })
    await driver.call('batch', { id: 'p', topic, body: 'batched', tags: 'A', count: 3 })
    await driver.call('producer', {
      id: 'big',
      group: `${name}-big`,
      instance: 'golden',
      maxMessageBytes: 8 << 20,
      compressOver: 8 << 20,
    })
    await driver.send('big', { topic, bodyBytes: 5 << 20 }).catch(() => undefined)
    await until('redeliveries', () => driver.received('c').filter((m) => m.reconsumeTimes > 0).length >= 3)
    await driver.call('push', { id: 'b', group: `${name}-broadcast`, topic, model: 'BROADCASTING', instance: 'golden' })
    await driver.call('push', { id: 'o', group: `${name}-orderly`, topic, orderly: 1, instance: 'golden' })
    await until('orderly messages', () => driver.received('o').length > 0)
    await driver.call('pull', { id: 'l', group: `${name}-pull`, topic, instance: 'golden', manual: 1 })
    await driver.call('poll', { id: 'l', waitMs: 5_000 })
    await driver.call('commit', { id: 'l' })
    for (const of of ['max', 'min', 'earliest'])
      await driver.call('offset', { id: 'p', topic, broker: 'broker-a', queueId: 0, of })
    await driver.call('offset', { id: 'p', topic, broker: 'broker-a', queueId: 0, of: 'time', timestamp: 1 })
    await driver.call('query', { id: 'p', topic, key: 'k0' })
    await driver.call('view', { id: 'p', topic, msgId: sent?.offsetMsgId ?? '' })
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    for (const id of ['l', 'o', 'b', 'c', 'big', 'p']) await driver.call('close', { id })
  } finally {
    await driver.close()
  }
}

async function administration(recorder: Recorder, namesrv: string): Promise<void> {
  recorder.label = 'mqadmin-5.5.0'
  const topic = 'golden-admin'
  await mqadmin(namesrv, 'updateTopic', '-c', 'DefaultCluster', '-t', topic, '-r', '4', '-w', '4')
  const driver = await Driver.start({ release: 'client-5.5', namesrv, clientIp: '127.0.0.1' })
  recorder.label = 'background'
  try {
    await driver.call('producer', { id: 'p', group: 'golden-admin-producer', instance: 'golden' })
    await driver.send('p', { topic, body: 'for the admin' })
    await driver.call('push', { id: 'c', group: 'golden-admin-group', topic, instance: 'golden' })
    await until('a message', () => driver.received('c').length > 0)
    recorder.label = 'mqadmin-5.5.0'
    await mqadmin(namesrv, 'clusterList')
    await mqadmin(namesrv, 'topicList', '-c')
    await mqadmin(namesrv, 'topicRoute', '-t', topic)
    await mqadmin(namesrv, 'topicStatus', '-t', topic)
    await mqadmin(namesrv, 'consumerProgress', '-g', 'golden-admin-group')
    await mqadmin(namesrv, 'consumerProgress', '-g', 'golden-nobody').catch(() => '')
    await mqadmin(namesrv, 'consumerConnection', '-g', 'golden-admin-group')
    await mqadmin(namesrv, 'producerConnection', '-g', 'golden-admin-producer', '-t', topic)
    await mqadmin(namesrv, 'updateSubGroup', '-c', 'DefaultCluster', '-g', 'golden-made-group')
    await mqadmin(namesrv, 'updateKvConfig', '-s', 'golden', '-k', 'key', '-v', 'value')
    await mqadmin(namesrv, 'deleteKvConfig', '-s', 'golden', '-k', 'key')
    await mqadmin(namesrv, 'wipeWritePerm', '-b', 'broker-a')
    await mqadmin(namesrv, 'addWritePerm', '-b', 'broker-a')
    await mqadmin(namesrv, 'topicRoute', '-t', 'golden-missing').catch(() => '')
    await mqadmin(namesrv, 'deleteSubGroup', '-c', 'DefaultCluster', '-g', 'golden-made-group')
    await mqadmin(namesrv, 'deleteTopic', '-c', 'DefaultCluster', '-t', topic)
  } finally {
    await driver.close()
  }
}

/** One frame of every kind, and of its answers one for each response code. */
function choose(frames: readonly Recorded[]): Map<string, Recorded> {
  const chosen = new Map<string, Recorded>()
  for (const recorded of frames) {
    const { kind, requestCode, frame, bytes } = recorded
    const registration = requestCode === 103 || requestCode === 104
    const label = registration ? 'broker-5.5.0' : recorded.label
    if (label === 'background' || requestCode < 0 || bytes.length > largestBytes) continue
    if (label === '4.9.8' && !oldCodes.has(requestCode)) continue
    if (frame.serialize === 'rocketmq' && !binaryCodes.has(requestCode)) continue
    if (label.startsWith('mqadmin') && unasked.has(requestCode)) continue
    if (label.startsWith('broker') !== (registration || requestCode === 904)) continue
    const answer = kind === 'response' && frame.code !== 0 ? `-${frame.code}` : ''
    const file = `${label}-${frame.serialize}-${requestCode}-${kind}${answer}.bin`
    if (!chosen.has(file)) chosen.set(file, recorded)
  }
  return chosen
}

function describe(file: string, { label, kind, requestCode, frame, bytes }: Recorded): Record<string, unknown> {
  return {
    file,
    bytes: bytes.length,
    client: label,
    kind,
    requestCode,
    serialize: frame.serialize,
    code: frame.code,
    language: frame.language,
    version: frame.version,
    opaque: frame.opaque,
    flag: frame.flag,
    remark: frame.remark,
    extFields: frame.extFields,
    bodyBytes: frame.body.length,
  }
}

/** What passes between stock clients and a stock broker that answers in the given form. */
async function session(
  serializer: 'JSON' | 'ROCKETMQ',
  work: (recorder: Recorder, namesrv: string) => Promise<void>,
): Promise<readonly Recorded[]> {
  const namesrvPort = await freePorts(1)
  const brokerPort = (await freePorts(4)) + 2
  const recorder = await startRecorder(
    [namesrvPort, brokerPort].map((port) => ({ listen: { host: '127.0.0.1', port }, to: { host: '127.0.0.2', port } })),
  )
  recorder.label = 'broker-5.5.0'
  const stock = await startStock({ bindAddress: '127.0.0.2', namesrvPort, brokerPort, serializer })
  try {
    await work(recorder, stock.namesrv)
    recorder.label = 'broker-5.5.0'
  } finally {
    await stock.close()
    await recorder.close()
  }
  return recorder.frames
}

/** Records golden frames between stock clients and a stock broker and writes them under test/remoting/golden. */
export async function recordGolden(): Promise<void> {
  const frames = [
    ...(await session('JSON', async (recorder, namesrv) => {
      for (const release of ['client-5.5', 'client-4.9'] as const) {
        for (const json of [true, false]) await client(recorder, namesrv, release, json)
      }
      await administration(recorder, namesrv)
    })),
    ...(await session('ROCKETMQ', (recorder, namesrv) => client(recorder, namesrv, 'client-5.5', false))),
  ]
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.bin')) rmSync(join(folder, name))
  const chosen = choose(frames)
  for (const [file, recorded] of chosen) writeFileSync(join(folder, file), recorded.bytes)
  const index = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, recorded]) => describe(file, recorded))
  writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index, null, 1)}\n`)
  const total = [...chosen.values()].reduce((sum, recorded) => sum + recorded.bytes.length, 0)
  console.log(`${chosen.size} frames, ${total} bytes, of ${frames.length} seen`)
}
