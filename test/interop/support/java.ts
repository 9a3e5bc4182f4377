import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { cacheFolder } from './places.ts'

/** Java 17 closes java.nio and friends; the stock launch scripts open them in the same way. */
const opens = ['java.base/java.nio', 'java.base/sun.nio.ch', 'java.base/java.lang', 'java.base/java.util'].flatMap(
  (name) => ['--add-opens', `${name}=ALL-UNNAMED`],
)

export interface JavaOptions {
  readonly classPath: string
  readonly main: string
  readonly arguments?: readonly string[]
  readonly heapMegabytes?: number
  readonly properties?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Stock programs write logs and stores below the home folder; this one is theirs. */
  readonly home?: string
}

/** Starts a Java program; nothing of it lands in the developer's home folder. */
export function startJava(options: JavaOptions): ChildProcess {
  const home = options.home ?? cacheFolder('home')
  const heap = options.heapMegabytes ?? 256
  return spawn(
    'java',
    [
      `-Xms${Math.min(heap, 64)}m`,
      `-Xmx${heap}m`,
      '-XX:MaxDirectMemorySize=256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      ...opens,
      `-Duser.home=${home}`,
      '-Dfile.encoding=UTF-8',
      ...Object.entries(options.properties ?? {}).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      options.classPath,
      options.main,
      ...(options.arguments ?? []),
    ],
    {
      cwd: home,
      env: { ...process.env, ROCKETMQ_HOME: home, NAMESRV_ADDR: '', ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a Java program to its end, or to `timeoutMs`, when it is stopped and `code` is null. */
export async function runJava(options: JavaOptions, timeoutMs: number): Promise<Finished> {
  const child = startJava(options)
  child.stdin?.end()
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const code = await new Promise<number | null>((resolve) => child.once('close', (exit) => resolve(exit)))
  clearTimeout(timer)
  return { code, stdout, stderr }
}

/** Ends a child: asked first, made after five seconds. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await closed
  clearTimeout(timer)
}

export function linesOf(child: ChildProcess, take: (line: string) => void): void {
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', take)
}
