import { expect, test } from 'vitest'
import { NamesrvRegistration } from '../../../src/broker/node/namesrv-registration.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { RequestCode, ResponseCode, SerializeType } from '../../../src/remoting/codes.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import type { Request } from '../../../src/remoting/connection.ts'
import { noFields } from '../../../src/remoting/fields.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const NAMESRV = '127.0.0.1:9876'
const head = { form: SerializeType.JSON, language: 0, version: 0, opaque: 0, flag: 1, remark: undefined }
const taken = new RemotingCommand({ ...head, code: ResponseCode.SUCCESS, fields: noFields, body: Buffer.alloc(0) })

function registrationOf(
  clock: ManualClock,
  asked: (request: Request) => void,
  { isSlave, isReady }: { readonly isSlave: boolean; readonly isReady: boolean },
): NamesrvRegistration {
  return new NamesrvRegistration({
    client: {
      invoke: (_address, request) => {
        asked(request)
        return Promise.resolve(taken)
      },
    },
    clock,
    log: silentLog,
    self: { clusterName: 'c', brokerName: 'b', address: 'h:10911', haAddress: '', followerId: 1, isSlave },
    namesrvs: () => [NAMESRV],
    leadership: { isReady, term: 1 },
    isWhole: () => true,
    topics: { all: () => [], get: () => undefined, version: { timestampMs: 0, counter: 1 } },
    changed: () => {},
    options: { periodMs: 30_000, timeoutMs: 1000, retryMs: 500 },
  })
}

async function turns(clock: ManualClock): Promise<void> {
  clock.turn()
  for (let at = 0; at < 10; at++) await Promise.resolve()
}

test.each([
  { who: 'a slave', isSlave: true, said: false },
  { who: 'a follower of a group', isSlave: false, said: undefined },
])('$who registers so that its topics are taken while nobody leads: $isSlave', async ({ isSlave, said }) => {
  const clock = new ManualClock()
  const headers: unknown[] = []
  const registration = registrationOf(clock, (request) => headers.push(request.header), { isSlave, isReady: false })
  registration.roleChanged()
  await turns(clock)
  expect(headers).toHaveLength(1)
  expect(headers[0]).toHaveProperty('brokerId', 1)
  expect(Reflect.get(Object(headers[0]), 'enableActingMaster')).toBe(said)
})

test('a broker whose connection to a name server ends registers again at once: it may be forgotten there', async () => {
  const clock = new ManualClock()
  const asked: number[] = []
  const registration = registrationOf(clock, ({ code }) => asked.push(code), { isSlave: false, isReady: true })
  registration.roleChanged()
  await turns(clock)
  expect(asked).toEqual([RequestCode.REGISTER_BROKER])
  expect(registration.isConfirmed).toBe(true)
  clock.advance(1000)
  await turns(clock)
  expect(asked).toHaveLength(1)
  registration.connectionLost('127.0.0.1:1')
  await turns(clock)
  expect(asked).toHaveLength(1)
  registration.connectionLost(NAMESRV)
  expect(registration.isConfirmed).toBe(false)
  await turns(clock)
  expect(asked).toHaveLength(2)
  expect(registration.isConfirmed).toBe(true)
})
