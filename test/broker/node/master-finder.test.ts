import { expect, test } from 'vitest'
import { MasterFinder } from '../../../src/broker/node/master-finder.ts'
import { RaftmqCode, RequestCode } from '../../../src/remoting/codes.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import type { Request } from '../../../src/remoting/connection.ts'
import { Fields } from '../../../src/remoting/fields.ts'

interface Answer {
  readonly code: number
  readonly remark?: string
  readonly fields?: Readonly<Record<string, string>>
}

interface World {
  readonly finder: MasterFinder
  readonly asked: { readonly address: string; readonly request: Request }[]
}

/** Who is not in `answers` cannot be reached. */
function world(answers: Readonly<Record<string, Answer>>): World {
  const asked: World['asked'] = []
  const finder = new MasterFinder({
    client: {
      invoke(address, request) {
        asked.push({ address, request })
        const answer = answers[address]
        if (answer === undefined) return Promise.reject(new Error('nobody there'))
        const { code, remark, fields = {} } = answer
        const fixed = { form: 0, language: 0, version: 0, opaque: 1, flag: 1 } as const
        return Promise.resolve(
          new RemotingCommand({
            ...fixed,
            code,
            remark,
            fields: Fields.ofRecord(fields),
            body: Buffer.alloc(0),
          }),
        )
      },
    },
    self: {
      clusterName: 'DefaultCluster',
      brokerName: 'broker-a',
      address: '10.0.0.2:10911',
      haAddress: '10.0.0.2:10912',
      followerId: 1,
      isSlave: true,
    },
    namesrvs: ['ns1:9876', 'ns2:9876'],
    timeoutMs: 1_000,
  })
  return { finder, asked }
}

const master = { address: '10.0.0.1:10911', haAddress: { host: '10.0.0.1', port: 10_912 } }
const told = { masterAddr: '10.0.0.1:10911', haServerAddr: '10.0.0.1:10912' }

test('a slave finds its master by what any name server answers to its registration', async () => {
  const { finder, asked } = world({ 'ns2:9876': { code: 0, fields: told } })
  expect(await finder.find()).toEqual(master)
  expect(asked.map(({ address }) => address)).toEqual(['ns1:9876', 'ns2:9876'])
  expect(asked[0]?.request).toMatchObject({
    code: RequestCode.REGISTER_BROKER,
    header: { brokerId: 1, brokerName: 'broker-a', brokerAddr: '10.0.0.2:10911', haServerAddr: '10.0.0.2:10912' },
  })
})

test.each([
  ['knows none', { code: 0 }],
  ['refuses the slave', { code: 1, fields: told }],
  ['names no place for slaves', { code: 0, fields: { ...told, haServerAddr: '' } }],
])('a name server that %s is none that knows a master', async (_what, answer) => {
  await expect(world({ 'ns1:9876': answer }).finder.find()).rejects.toThrow('no name server knows a master of broker-a')
})

test('the master is told where the slave is reached and what it knows of itself, and gives it its id', async () => {
  const { finder, asked } = world({ '10.0.0.1:10911': { code: 0, fields: { id: 'n3' } } })
  expect(await finder.join(master, { id: undefined, clusterId: undefined })).toBe('n3')
  await finder.join(master, { id: 'n3', clusterId: 'c' })
  expect(asked.map(({ request }) => request)).toMatchObject([
    { code: RaftmqCode.JOIN_MASTER, header: { place: '10.0.0.2:10912' } },
    { code: RaftmqCode.JOIN_MASTER, header: { place: '10.0.0.2:10912', id: 'n3', clusterId: 'c' } },
  ])
})

test('a master that does not take it says why', async () => {
  const { finder } = world({ '10.0.0.1:10911': { code: 1, remark: 'another cluster' } })
  await expect(finder.join(master, { id: 'n1', clusterId: 'c' })).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: 'the master at 10.0.0.1:10911 did not take it: another cluster',
  })
})
