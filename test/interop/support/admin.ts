import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesOf, startJava, stop } from './java.ts'
import { classPath, driverClassPath, type Release } from './maven.ts'
import { cacheFolder } from './places.ts'

/** Runs stock mqadmin commands one after the other in one process; what each printed. */
export async function mqadminAll(
  namesrv: string,
  commands: readonly (readonly string[])[],
  release: Release = 'tools-5.5',
): Promise<string[]> {
  const home = cacheFolder('admin-home')
  mkdirSync(join(home, 'conf'), { recursive: true })
  // 4.9 wants it, and prints a stack trace before everything else where it is not.
  writeFileSync(join(home, 'conf/logback_tools.xml'), '<configuration/>\n')
  const child = startJava({ classPath: await driverClassPath(release, 'Admin'), main: 'Admin', home })
  const printed: string[] = []
  try {
    const done = new Promise<void>((resolve, reject) => {
      child.once('exit', () => (printed.length === commands.length ? resolve() : reject(new Error('mqadmin ended'))))
      linesOf(child, (line) => {
        if (line.startsWith('=')) printed.push(Buffer.from(line.slice(1), 'base64').toString())
        if (printed.length === commands.length) resolve()
      })
    })
    for (const [command = '', ...rest] of commands) {
      child.stdin?.write(`${[command, '-n', namesrv, ...rest].map(encodeURIComponent).join('\t')}\n`)
    }
    await done
  } finally {
    await stop(child)
  }
  return printed
}

/** The names of all commands of stock mqadmin, from its own help. */
export async function mqadminCommands(release: Release = 'tools-5.5'): Promise<string[]> {
  const main = 'org.apache.rocketmq.tools.command.MQAdminStartup'
  const child = startJava({ classPath: await classPath(release), main, home: cacheFolder('admin-home') })
  const names: string[] = []
  const ended = new Promise((resolve) => child.once('close', resolve))
  linesOf(child, (line) => names.push(...[...line.matchAll(/^ {3}(\w+) {2,}/g)].map(([, name = '']) => name)))
  await ended
  return names
}
