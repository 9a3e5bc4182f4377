import { linesOf, startJava, stop } from './java.ts'
import { driverClassPath } from './maven.ts'

/** Runs stock mqadmin commands one after the other in one process; what each printed. */
export async function mqadminAll(namesrv: string, commands: readonly (readonly string[])[]): Promise<string[]> {
  const child = startJava({ classPath: await driverClassPath('tools-5.5', 'Admin'), main: 'Admin' })
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
