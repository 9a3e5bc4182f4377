/** A Toxiproxy server: the real one where it was installed (`scripts/toxiproxy.mjs`), else the stand-in. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { startStandIn } from './toxiproxy-stand-in.ts'

export interface ToxiproxyServer {
  readonly url: string
  readonly isReal: boolean
  stop(): Promise<void>
}

/** From the sources and from `dist-dev/`. */
const places = ['../node_modules/.toxiproxy/server', '../../node_modules/.toxiproxy/server']
const START_WITHIN_MS = 5_000

/** The path of the real server, if it is there. */
export function realToxiproxy(): string | undefined {
  return places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path))
}

export async function startToxiproxy(path = realToxiproxy()): Promise<ToxiproxyServer> {
  if (path === undefined) {
    const standIn = await startStandIn()
    return { url: `http://127.0.0.1:${standIn.port}`, isReal: false, stop: () => standIn.close() }
  }
  const port = await freePort()
  const child = spawn(path, ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' })
  const exit = new Promise((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  const endMs = systemClock.monotonicMs() + START_WITHIN_MS
  while (!(await answers(url))) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`${path} does not answer`)
    await sleep(systemClock, 20)
  }
  return {
    url,
    isReal: true,
    async stop() {
      child.kill('SIGTERM')
      await exit
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/version`)).ok
  } catch {
    return false
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
