import { expect, test } from 'vitest'
import { NamesrvRegistration } from '../../../src/broker/node/namesrv-registration.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { RequestCode, ResponseCode, SerializeType } from '../../../src/remoting/codes.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import { noFields } from '../../../src/remoting/fields.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const NAMESRV = '127.0.0.1:9876'
const head = { form: SerializeType.JSON, language: 0, version: 0, opaque: 0, flag: 1, remark: undefined }
const taken = new RemotingCommand({ ...head, code: ResponseCode.SUCCESS, fields: noFields, body: Buffer.alloc(0) })

test('a broker whose connection to a name server ends registers again at once: it may be forgotten there', async () => {
  const clock = new ManualClock()
  const asked: number[] = []
  const registration = new NamesrvRegistration({
    client: {
      invoke: (_address, { code }) => {
        asked.push(code)
        return Promise.resolve(taken)
      },
    },
    clock,
    log: silentLog,
    self: { clusterName: 'c', brokerName: 'b', address: 'h:10911', haAddress: '', followerId: 1 },
    namesrvs: () => [NAMESRV],
    leadership: { isReady: true, term: 1 },
    isWhole: () => true,
    topics: { all: () => [], get: () => undefined, version: { timestampMs: 0, counter: 1 } },
    changed: () => {},
    options: { periodMs: 30_000, timeoutMs: 1000, retryMs: 500 },
  })
  const turns = async (): Promise<void> => {
    clock.turn()
    for (let at = 0; at < 10; at++) await Promise.resolve()
  }
  registration.roleChanged()
  await turns()
  expect(asked).toEqual([RequestCode.REGISTER_BROKER])
  expect(registration.isConfirmed).toBe(true)
  clock.advance(1000)
  await turns()
  expect(asked).toHaveLength(1)
  registration.connectionLost('127.0.0.1:1')
  await turns()
  expect(asked).toHaveLength(1)
  registration.connectionLost(NAMESRV)
  expect(registration.isConfirmed).toBe(false)
  await turns()
  expect(asked).toHaveLength(2)
  expect(registration.isConfirmed).toBe(true)
})
