import { createServer, type Server } from 'node:net'

async function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server))
  })
}

/** The first of `count` neighbouring ports that were free a moment ago; below the range the system hands out. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const servers = await Promise.all(Array.from({ length: count }, (_, i) => listen(first + i)))
    await Promise.all(
      servers.map((server) => new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))),
    )
    if (servers.every((server) => server !== undefined)) return first
  }
  throw new Error(`no ${count} neighbouring free ports found`)
}
