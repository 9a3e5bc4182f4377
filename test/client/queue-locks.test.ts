import { expect, test } from 'vitest'
import { QueueLocks } from '../../src/client/consumer/queue-locks.ts'
import type { Request } from '../../src/client/core/broker-api.ts'
import { clientErrors } from '../../src/client/core/errors.ts'
import type { MessageQueue } from '../../src/client/core/message-queue.ts'
import { resolveClientOptions } from '../../src/client/core/options.ts'
import { LockBatchRequestBody, LockBatchResponseBody } from '../../src/remoting/bodies/queue.ts'
import { RequestCode, SerializeType } from '../../src/remoting/codes.ts'
import { RemotingCommand } from '../../src/remoting/command.ts'
import { noFields } from '../../src/remoting/fields.ts'
import { ManualClock } from '../support/manual-clock.ts'

const queue: MessageQueue = { topic: 'T', brokerName: 'a', queueId: 0 }
const other: MessageQueue = { topic: 'T', brokerName: 'a', queueId: 1 }

/** Locks at a broker that answers as `broker` says at the moment. */
function locksAt(clock: ManualClock) {
  const broker = { isAway: false, granted: [queue, other] as readonly MessageQueue[], unlocked: [] as MessageQueue[] }
  const lost: MessageQueue[] = []
  const regained: MessageQueue[] = []
  const invoke = async (_address: string, { code, body }: Request): Promise<RemotingCommand> => {
    if (broker.isAway) throw clientErrors.create('CLIENT_TIMEOUT', 'away')
    const { mqSet } = LockBatchRequestBody.decode(body ?? Buffer.alloc(0))
    if (code === RequestCode.UNLOCK_BATCH_MQ) broker.unlocked.push(...mqSet)
    const lockOKMQSet = broker.granted.filter(({ queueId }) => mqSet.some((asked) => asked.queueId === queueId))
    return answerWith(LockBatchResponseBody.encode({ lockOKMQSet: [...lockOKMQSet] }))
  }
  const locks = new QueueLocks({
    core: {
      options: resolveClientOptions({ namesrv: 'a:1', clock }),
      clientId: 'me',
      closing: new AbortController().signal,
      invoke,
      callLeader: (_at, call) => call('a:2', {}),
    },
    group: 'G',
    timeoutMs: 1_000,
    onLost: (of) => lost.push(of),
    onRegained: (of) => regained.push(of),
  })
  return { locks, broker, lost, regained }
}

test('a lock is believed in for 30 s from when it was asked for, and longer when it is renewed', async () => {
  const clock = new ManualClock()
  const { locks } = locksAt(clock)
  expect(locks.isHeld(queue)).toBe(false)
  expect(await locks.take(queue)).toBe(true)
  clock.advance(20_000)
  await locks.renew()
  clock.advance(29_999)
  expect(locks.isHeld(queue)).toBe(true)
  clock.advance(1)
  expect(locks.isHeld(queue)).toBe(false)
})

test('a queue that another member has is not taken', async () => {
  const { locks, broker } = locksAt(new ManualClock())
  broker.granted = [other]
  expect(await locks.take(queue)).toBe(false)
  expect(locks.isHeld(queue)).toBe(false)
})

test('a lock that lapsed while the broker was away is held again when the broker says so, and its owner is told', async () => {
  const clock = new ManualClock()
  const { locks, broker, lost, regained } = locksAt(clock)
  await locks.take(queue)
  broker.isAway = true
  clock.advance(40_000)
  await locks.renew()
  expect(locks.isHeld(queue)).toBe(false)
  broker.isAway = false
  await locks.renew()
  expect([locks.isHeld(queue), lost, regained]).toEqual([true, [], [queue]])
})

test('a lock that was over at the broker is lost though the broker grants it: somebody may have had it meanwhile', async () => {
  const clock = new ManualClock()
  const { locks, broker, lost } = locksAt(clock)
  await locks.take(queue)
  clock.advance(60_000)
  await locks.renew()
  expect([locks.isHeld(queue), lost, broker.unlocked]).toEqual([false, [queue], [queue]])
})

test('a lock that a renewal does not bring back is lost at once, and only that one', async () => {
  const { locks, broker, lost } = locksAt(new ManualClock())
  await locks.take(queue)
  await locks.take(other)
  broker.granted = [other]
  await locks.renew()
  expect([locks.isHeld(queue), locks.isHeld(other), lost]).toEqual([false, true, [queue]])
})

test('a lock whose answer comes while all are given back is given back, too', async () => {
  const { locks, broker } = locksAt(new ManualClock())
  const taking = locks.take(queue)
  await locks.freeAll()
  expect([await taking, locks.isHeld(queue), broker.unlocked]).toEqual([true, false, [queue]])
})

test('a lock that is given back is not held any more, and the broker is told', async () => {
  const { locks, broker } = locksAt(new ManualClock())
  await locks.take(queue)
  await locks.take(other)
  await locks.free([queue, { ...queue, queueId: 7 }])
  expect([locks.isHeld(queue), locks.isHeld(other), broker.unlocked]).toEqual([false, true, [queue]])
  await locks.freeAll()
  expect(broker.unlocked).toEqual([queue, other])
})

function answerWith(body: Buffer): RemotingCommand {
  return new RemotingCommand({
    form: SerializeType.JSON,
    code: 0,
    language: 0,
    version: 0,
    opaque: 0,
    flag: 1,
    remark: undefined,
    fields: noFields,
    body,
  })
}
