import { afterEach, expect, test } from 'vitest'
import { Admin } from '../../src/client/admin/admin.ts'
import { clean } from '../../src/client/admin/cleaning.ts'
import { AdminConnection } from '../../src/client/admin/connection.ts'
import { DeadLetters } from '../../src/client/admin/dead-letters.ts'
import { groupClients } from '../../src/client/admin/group-clients.ts'
import { setGroupMode } from '../../src/client/admin/group-modes.ts'
import { GroupOffsets } from '../../src/client/admin/group-offsets.ts'
import { GroupSettings } from '../../src/client/admin/group-settings.ts'
import { Messages } from '../../src/client/admin/messages.ts'
import { NameServers } from '../../src/client/admin/name-servers.ts'
import { queueUnits } from '../../src/client/admin/queue-units.ts'
import { setRequestMode } from '../../src/client/admin/request-modes.ts'
import { PullConsumer } from '../../src/client/consumer/pull-consumer.ts'
import { PopConsumer } from '../../src/client/pop/pop-consumer.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import { FakeCluster } from '../support/fake-broker.ts'

const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

/** As a program calls it that is not checked against the types. */
async function called(of: object, method: string, ...given: readonly unknown[]): Promise<unknown> {
  const run: unknown = Reflect.get(of, method)
  if (typeof run !== 'function') throw new Error(`no method ${method}`)
  return Reflect.apply(run, of, given)
}

const message = { topic: 'T', body: 'x' }
const NO_QUEUE = 'queue: that is none: it has a topic, a brokerName and a queueId'

test.each<[string, readonly unknown[], code: string, message: string]>([
  ['send', [message, { signals: 1 }], 'CLIENT_OPTION', 'send has no signals; did you mean signal?'],
  ['send', [message, 1000], 'CLIENT_OPTION', 'send takes an object, not 1000'],
  ['send', [message, { signal: true }], 'CLIENT_OPTION', 'signal: no AbortSignal'],
  ['send', [message, null], 'CLIENT_OPTION', 'send takes an object, not null'],
  ['sendBatch', [[message], { timeoutMs: 1 }], 'CLIENT_OPTION', 'sendBatch has no timeoutMs'],
  ['sendBatch', [undefined], 'CLIENT_MESSAGE_ILLEGAL', 'a batch is a list of messages, not undefined'],
  ['sendBatch', ['xy'], 'CLIENT_MESSAGE_ILLEGAL', 'a batch is a list of messages, not xy'],
  ['sendBatch', [[undefined]], 'CLIENT_MESSAGE_ILLEGAL', 'a message is an object, not undefined'],
  ['sendCallback', [message], 'CLIENT_OPTION', 'done: that is no function'],
  ['request', [message, { timeout: 1 }], 'CLIENT_OPTION', 'request has no timeout; did you mean timeoutMs?'],
  ['request', [message, { timeoutMs: '1' }], 'CLIENT_OPTION', 'timeoutMs: 1 is not an integer in 1–3600000'],
  ['recall', [], 'CLIENT_OPTION', 'recall takes an object, not undefined'],
  ['recall', [{ topic: 'T', handle: 'x' }], 'CLIENT_OPTION', 'recall has no handle; did you mean recallHandle?'],
  ['recall', [{ topic: 'T' }], 'CLIENT_MESSAGE_ILLEGAL', 'no recall handle: undefined'],
  ['recall', [{ recallHandle: 'x' }], 'CLIENT_MESSAGE_ILLEGAL', 'topic: undefined is no text'],
  [
    'reply',
    [undefined, { body: 'x' }],
    'CLIENT_MESSAGE_ILLEGAL',
    'what is replied to is no message that a consumer took',
  ],
  ['queues', [], 'CLIENT_MESSAGE_ILLEGAL', 'topic: undefined is no text'],
  ['close', [{ timeoutMs: 1 }], 'CLIENT_OPTION', 'close has no timeoutMs'],
])('a producer tells what it does not take: %s %j', async (method, given, code, message) => {
  const fake = await FakeCluster.start()
  open.push(fake)
  fake.createTopic('T')
  const producer = new Producer({ namesrv: fake.namesrv, group: 'P' })
  await producer.start()
  open.push({ close: () => producer.close({ signal: AbortSignal.abort() }) })
  await expect(called(producer, method, ...given)).rejects.toMatchObject({ code, message })
  expect(producer.inFlight).toBe(0)
})

test.each<[string, readonly unknown[], string]>([
  ['assign', [], 'queues: undefined is no list'],
  ['assign', [[{ topic: 'T', brokerName: 'a' }]], NO_QUEUE],
  ['assign', [[undefined]], NO_QUEUE],
  ['seek', [undefined, 1], NO_QUEUE],
  ['seekToTime', [{ topic: 'T', brokerName: 'a', queueId: 0 }, 7], 'time: 7 is no Date'],
  ['pause', ['T'], NO_QUEUE],
  ['resume', [undefined], NO_QUEUE],
  ['committed', [], NO_QUEUE],
  ['position', [], NO_QUEUE],
  ['poll', [null], 'poll takes an object, not null'],
])('a pull consumer tells what it does not take: %s %j', async (method, given, message) => {
  const consumer = new PullConsumer({ namesrv: '127.0.0.1:1', group: 'g' })
  open.push(consumer)
  await expect(called(consumer, method, ...given)).rejects.toMatchObject({ code: 'CLIENT_OPTION', message })
})

test('a pop consumer closes when the signal of its run fires', async () => {
  const consumer = new PopConsumer({ namesrv: '127.0.0.1:1', group: 'g' }).subscribe('T')
  await consumer.run(() => undefined, { signal: AbortSignal.abort() })
  await expect(consumer.run(() => undefined)).rejects.toMatchObject({ message: 'the consumer is closed' })
})

const admin = (): Admin => new Admin(connection())
function connection(): AdminConnection {
  const at = new AdminConnection({ namesrv: '127.0.0.1:1' })
  open.push(at)
  return at
}
const queue = { topic: 'T', brokerName: 'a', queueId: 0 }

test.each<[string, () => Promise<unknown>, string]>([
  ['createTopic', () => called(admin(), 'createTopic'), 'createTopic takes an object, not undefined'],
  [
    'createTopic',
    () => called(admin(), 'createTopic', { topic: 'T', queue: 8 }),
    'createTopic has no queue; did you mean queues?',
  ],
  [
    'createTopic',
    () => called(admin(), 'createTopic', { topic: 'T', permission: 'wr' }),
    'permission: wr is not one of r, w, rw',
  ],
  [
    'createTopic',
    () => called(admin(), 'createTopic', { topic: 'T', queues: Number.NaN }),
    'queues: NaN is not an integer in 0–2147483647',
  ],
  ['createGroup', () => called(admin(), 'createGroup'), 'group: undefined is no text'],
  ['deleteGroup', () => called(admin(), 'deleteGroup'), 'group: undefined is no text'],
  ['groupStats', () => called(admin(), 'groupStats', {}), 'group: [object Object] is no text'],
  ['runtimeInfo', () => called(admin(), 'runtimeInfo'), 'address: undefined is no text'],
  ['acceptDoubt', () => called(admin(), 'acceptDoubt'), 'address: undefined is no text'],
  ['updateConfig', () => called(admin(), 'updateConfig', 'a', { x: 1 }), 'properties.x: 1 is no text'],
  ['updateConfig', () => called(admin(), 'updateConfig', undefined, {}), 'broker: undefined is no text'],
  ['transferLeader', () => called(admin(), 'transferLeader', { to: 'n1' }), 'broker: undefined is no text'],
  ['transferLeader', () => called(admin(), 'transferLeader', { broker: 'a' }), 'to: undefined is no text'],
  [
    'transferLeader',
    () => called(admin(), 'transferLeader', { brokerName: 'a', to: 'n1' }),
    'transferLeader has no brokerName; did you mean broker?',
  ],
  ['members', () => called(admin(), 'members'), 'broker: undefined is no text'],
  [
    'changeMembers',
    () => called(admin(), 'changeMembers', 'a', { change: 'grow', id: 'n4' }),
    'change: grow is not one of add, promote, remove, replace',
  ],
  [
    'changeMembers',
    () => called(admin(), 'changeMembers', 'a', { change: 'add', id: 'n4' }),
    'place: undefined is no text',
  ],
  [
    'changeMembers',
    () => called(admin(), 'changeMembers', 'a', { change: 'remove', id: 'n4', by: 'n5' }),
    'remove has no by',
  ],
  ['Messages.byKey', () => called(new Messages(connection()), 'byKey', { topic: 'T' }), 'key: undefined is no text'],
  [
    'Messages.byKey',
    () => called(new Messages(connection()), 'byKey', { topic: 'T', key: 'k', limit: 1 }),
    'byKey has no limit',
  ],
  ['Messages.byId', () => called(new Messages(connection()), 'byId'), 'id: undefined is no text'],
  ['Messages.at', () => called(new Messages(connection()), 'at'), NO_QUEUE],
  [
    'GroupOffsets.reset',
    () => called(new GroupOffsets(connection()), 'reset', { group: 'g', topic: 'T', from: 'first' }),
    'reset has no from',
  ],
  [
    'GroupOffsets.commit',
    () => called(new GroupOffsets(connection()), 'commit', 'g', { queue }),
    'queueOffset: undefined is not an integer in 0–9007199254740991',
  ],
  ['GroupOffsets.clone', () => called(new GroupOffsets(connection()), 'clone', 'g'), 'group: undefined is no text'],
  [
    'GroupSettings.change',
    () => called(new GroupSettings(connection()), 'change', 'g', undefined),
    'changes: undefined is no object of texts',
  ],
  [
    'GroupSettings.get',
    () => called(new GroupSettings(connection()), 'get', 'g', { brokerName: 'a' }),
    'get has no brokerName; did you mean broker?',
  ],
  [
    'setRequestMode',
    async () => setRequestMode(connection(), Object({ group: 'g', topic: 'T', mode: 'PUSH' })),
    'mode: PUSH is not one of POP, PULL',
  ],
  [
    'setGroupMode',
    async () => setGroupMode(admin(), 'a', Object({ flush: 'no' })),
    'flush: no is not one of sync, async',
  ],
  [
    'groupClients',
    async () => groupClients(connection(), Object({ group: 'g', stacks: true })),
    'groupClients has no stacks; did you mean withStacks?',
  ],
  ['queueUnits', async () => queueUnits(connection(), Object({ from: 0, count: 1 })), NO_QUEUE],
  ['clean', async () => clean(connection(), Object('disk')), 'what: disk is not one of log, queues, topics'],
  ['DeadLetters.resend', () => called(new DeadLetters(connection(), 'g'), 'resend'), 'send: that is no function'],
  ['NameServers.get', () => called(new NameServers(connection()), 'get', 'n'), 'pair.key: undefined is no text'],
])('administration tells what it does not take, before it asks anybody: %s', async (_, call, message) => {
  await expect(call()).rejects.toMatchObject({ code: 'CLIENT_OPTION', message })
})
