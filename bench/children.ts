/** Processes that end with this one: whatever ends it, Ctrl-C included, none is left behind. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { rmSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** From being asked to end until it is made to. */
const GRACE_MS = 10_000

export class Children {
  readonly #children = new Set<ChildProcess>()
  readonly #folders: string[] = []

  /** On SIGINT and SIGTERM everything ends: children, folders, this process with 130. */
  static untilInterrupted(): Children {
    const children = new Children()
    let isEnding = false
    const interrupted = (): void => {
      if (isEnding) return
      isEnding = true
      void children.close().finally(() => process.exit(130))
    }
    process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
    process.on('exit', () => children.#killAll())
    return children
  }

  /** A folder that is removed at the end. */
  keepFolder(folder: string): void {
    this.#folders.push(folder)
  }

  /** As `spawn`. */
  start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const child = spawn(command, args, options)
    this.#children.add(child)
    child.once('error', () => this.#children.delete(child))
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Ends a child: asked first, made to after ten seconds. */
  async stop(child: ChildProcess): Promise<void> {
    if (!this.#children.has(child)) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await exit
    clearTimeout(timer)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop(child)))
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }

  #killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}

/** Whether `holds` became true within `withinMs`; looked at every `everyMs`. */
export async function eventually(
  holds: () => Promise<boolean> | boolean,
  { withinMs, everyMs }: { readonly withinMs: number; readonly everyMs: number },
): Promise<boolean> {
  for (const endMs = performance.now() + withinMs; performance.now() < endMs; await sleep(everyMs)) {
    if (await holds()) return true
  }
  return false
}
