/** The package as others have it: packed, and installed in a folder that knows nothing of this checkout. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseJson } from './json.ts'
import { checkout, temporaryFolder } from './places.ts'

const run = promisify(execFile)

/** The oldest TypeScript that reads the types, as the README has it. */
const OLDEST_TYPESCRIPT = '5.4.5'

export interface Compiler {
  readonly module: string
  readonly moduleResolution: string
  /** This checkout's where it is not said. */
  readonly isOldest?: boolean
}

export class InstalledPackage {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** With what an example of its own folder needs; its programs may be run by `runs`. */
  static async beside(example: string): Promise<InstalledPackage> {
    const folder = temporaryFolder('package')
    const source = join(checkout, 'examples', example)
    const [packed] = parseJson<{ filename: string }[]>(
      await npm(checkout, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
    )
    const wanted = parseJson<{ dependencies: Record<string, string> }>(
      readFileSync(join(source, 'package.json'), 'utf8'),
    )
    const dependencies = {
      ...wanted.dependencies,
      raftmq: `file:${packed?.filename ?? ''}`,
      typescript: OLDEST_TYPESCRIPT,
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...wanted, dependencies }))
    writeFileSync(join(folder, 'main.mjs'), readFileSync(join(source, 'main.mjs')))
    await npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error')
    return new InstalledPackage(folder)
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  /** What a program of the folder prints; rejects when it fails or is late. */
  async runs(program: string, ...rest: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [program, ...rest], { cwd: this.folder, timeout: 60_000 })
    return stdout
  }

  /** What the compiler has against a source of the folder and the types it imports; nothing when it has nothing. */
  async faults(source: string, how: Compiler): Promise<string> {
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node']
    const types = ['--typeRoots', join(checkout, 'node_modules/@types')]
    const modules = ['--module', how.module, '--moduleResolution', how.moduleResolution]
    const tsc = join(how.isOldest === true ? this.folder : checkout, 'node_modules/typescript/bin/tsc')
    try {
      await run(process.execPath, [tsc, ...options, ...types, ...modules, source], { cwd: this.folder })
      return ''
    } catch (error) {
      if (error instanceof Error && 'stdout' in error) return String(error.stdout)
      throw error
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function npm(folder: string, ...rest: string[]): Promise<string> {
  const { stdout } = await run('npm', rest, { cwd: folder, shell: process.platform === 'win32' })
  return stdout
}
