import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { SerializeType } from '../../src/remoting/codes.ts'
import { defineHeader, int, string } from '../../src/remoting/header.ts'
import { Router, route } from '../../src/remoting/route.ts'
import { RemotingServer } from '../../src/remoting/server.ts'

const EchoHeader = defineHeader({ text: string.required('a'), times: int.optional('b') })

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function echoServer(): Promise<string> {
  const router = new Router({
    log: silentLog,
    routes: [
      route({
        code: 1000,
        request: EchoHeader,
        handle: (header, call) => ({ code: 0, header: { text: header.text.repeat(header.times ?? 1) }, body: call.body }),
      }),
    ],
  })
  const server = new RemotingServer({ host: '127.0.0.1', port: 0, router, clock: systemClock, log: silentLog })
  await server.listen()
  open.push(server)
  return `127.0.0.1:${server.port}`
}

test.for([SerializeType.JSON, SerializeType.ROCKETMQ])('a request in form %i is answered in that form', async (form) => {
  const address = await echoServer()
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  open.unshift(client)
  const body = Buffer.from('x'.repeat(10_000))
  const response = await client.invoke(address, { code: 1000, header: { text: 'grün', times: 2 }, body, form }, 1000)
  expect(response.code).toBe(0)
  expect(response.form).toBe(form)
  expect(response.fields.toRecord()).toEqual({ text: 'grüngrün' })
  expect(response.body.equals(body)).toBe(true)
})
