import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop } from './java.ts'
import { temporaryFolder } from './places.ts'
import { freePorts } from './ports.ts'
import { raftmqProgram } from './raftmq.ts'
import { startStock } from './stock.ts'
import type { Target } from './target.ts'

/** RaftMQ's name server under a stock broker: registration and administration by the original. */
export async function startMixed(): Promise<Target> {
  const program = raftmqProgram()
  const folder = temporaryFolder('namesrv')
  const port = await freePorts(1)
  const file = join(folder, 'namesrv.properties')
  const paths = [`kvConfigPath=${join(folder, 'kv.json')}`, `configStorePath=${join(folder, 'namesrv.properties')}`]
  writeFileSync(file, [`listenPort=${port}`, 'bindAddress=127.0.0.1', ...paths, ''].join('\n'))
  const child = spawn(process.execPath, [program, 'namesrv', '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-16_384)))
  const close = async (): Promise<void> => {
    await stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const stock = await startStock({ namesrv: `127.0.0.1:${port}` })
    return {
      ...stock,
      said: () => `${said}\n${stock.said()}`,
      async close() {
        await stock.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw new Error(`${String(error)}\n${said}`, { cause: error })
  }
}
