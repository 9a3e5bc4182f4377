import { describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/index.ts'
import { Producer, PushConsumer } from '../../src/client/index.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { ReplyMessageRequestHeader, SendMessageRequestHeader } from '../../src/remoting/headers/send.ts'
import { route, Router } from '../../src/remoting/route.ts'
import { opened } from '../support/open.ts'

async function start(nodes: number): Promise<Cluster> {
  return opened(await startCluster({ nodes }))
}

describe('a request', () => {
  test('is answered with what its handler replies, and fails when nobody does', { timeout: 30_000 }, async () => {
    const { namesrv } = await start(1)
    const replier = opened(new Producer({ namesrv, group: 'repliers' }))
    await replier.start()
    const consumer = opened(new PushConsumer({ namesrv, group: 'handlers', from: 'first' }))
    consumer.subscribe('Questions')
    void consumer.run(async (message) => {
      if (message.tag === 'silent') return
      await replier.reply(message, { body: `${message.body.toString()}!`, properties: { colour: 'red' } })
    })
    const asker = opened(new Producer({ namesrv, group: 'askers' }))
    await asker.start()
    const ask = (body: string) => asker.request({ topic: 'Questions', body }, { timeoutMs: 15_000 })
    const replies = await Promise.all(['a', 'b', 'c'].map(ask))
    expect(replies.map(({ body }) => body.toString())).toEqual(['a!', 'b!', 'c!'])
    expect(replies[0]?.properties.get('colour')).toBe('red')
    const silent = asker.request({ topic: 'Questions', body: 'x', tag: 'silent' }, { timeoutMs: 300 })
    expect(errorCode(await silent.catch((error: unknown) => error))).toBe('CLIENT_NO_REPLY')
  })

  test('reaches its sender over the node that holds the connection, wherever the reply comes in', {
    timeout: 30_000,
  }, async () => {
    const of = await start(3)
    const [first, second] = of.nodes.filter((node) => node !== of.leader())
    const pushed: string[] = []
    const routes = [
      route({
        code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
        request: ReplyMessageRequestHeader,
        handle(_header, call) {
          pushed.push(call.body.toString())
          return { code: 0 }
        },
      }),
    ]
    const router = new Router({ routes, log: silentLog })
    const asker = opened(new RemotingClient({ clock: systemClock, log: silentLog, router }))
    const replier = opened(new RemotingClient({ clock: systemClock, log: silentLog }))
    const heartbeat = { clientID: 'asker', producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [] }
    const beat = { code: RequestCode.HEART_BEAT, body: Buffer.from(JSON.stringify(heartbeat)) }
    expect((await asker.invoke(first?.address ?? '', beat, 5_000)).code).toBe(0)
    const header = SendMessageRequestHeader.encode({
      producerGroup: 'PG',
      topic: 'DefaultCluster_REPLY_TOPIC',
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      flag: 0,
      properties: 'REPLY_TO_CLIENT\u0001asker\u0002',
    })
    const reply = { code: RequestCode.SEND_REPLY_MESSAGE, header, body: Buffer.from('over two nodes') }
    const answer = await replier.invoke(second?.address ?? '', reply, 5_000)
    expect([answer.code, answer.remark]).toEqual([0, undefined])
    expect(pushed).toEqual(['over two nodes'])
  })
})
