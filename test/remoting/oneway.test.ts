/** Floods of requests that nobody waits for, over real sockets. */
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { EmptyHeader } from '../../src/remoting/header.ts'
import { type Call, route, Router } from '../../src/remoting/route.ts'
import { RemotingServer } from '../../src/remoting/server.ts'
import { until } from '../support/until.ts'

const SLOW = 1000
const QUICK = 1001
const BODY_BYTES = 4_096
const LIMIT_BYTES = 65_536

function newClient(): RemotingClient {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  onTestFinished(() => client.close())
  return client
}

test('a peer with many one-way requests under way is not read on, and others are served', async () => {
  const held: Call[] = []
  const routes = [
    route({
      code: SLOW,
      request: EmptyHeader,
      handle(_, call) {
        call.hold()
        call.hold()
        held.push(call)
        return undefined
      },
    }),
    route({ code: QUICK, request: EmptyHeader, handle: () => ({ code: 0 }) }),
  ]
  const server = new RemotingServer({
    host: '127.0.0.1',
    port: 0,
    router: new Router({ routes, log: silentLog }),
    clock: systemClock,
    log: silentLog,
    limits: { onewayBytesHeldMax: LIMIT_BYTES },
  })
  await server.listen()
  onTestFinished(() => server.close())
  const address = `127.0.0.1:${server.port}`
  const flooder = newClient()
  const sent = 1_000
  for (let n = 0; n < sent; n++) void flooder.invokeOneway(address, { code: SLOW, body: Buffer.alloc(BODY_BYTES) })

  await until('the first arrive', () => held.length >= LIMIT_BYTES / BODY_BYTES)
  expect((await newClient().invoke(address, { code: QUICK }, 5_000)).code).toBe(0)
  // What one read of the socket brought is there, no more.
  expect(held.length).toBeLessThan((4 * LIMIT_BYTES) / BODY_BYTES)
  let answered = 0
  await until('all arrive once others are done', () => {
    for (const call of held.splice(0)) {
      call.respond({ code: 0 })
      answered++
    }
    return answered === sent
  })
})
