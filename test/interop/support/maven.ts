import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, javaSources } from './places.ts'
import { shaped } from './json.ts'

const run = promisify(execFile)
const windows = process.platform === 'win32'

/** A pom under test/interop/java: one stock release each. */
export type Release = 'client-5.5' | 'client-5.3' | 'client-4.9' | 'tools-5.5' | 'tools-4.9' | 'server-5.5'

/** What of the Java side is missing on this machine, or undefined. */
export async function missingTool(): Promise<string | undefined> {
  for (const tool of ['java', 'javac', 'mvn']) {
    try {
      await run(tool, ['-version'], { shell: windows })
    } catch {
      return tool
    }
  }
  return undefined
}

/** Resolves a release with Maven; the class path is kept until the pom changes or a jar is gone. */
export async function classPath(release: Release): Promise<string> {
  const pom = join(javaSources, `${release}.xml`)
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  const file = join(cacheFolder('class-paths'), `${release}-${digest}`)
  if (existsSync(file)) {
    const known = readFileSync(file, 'utf8').trim()
    if (known.split(delimiter).every((jar) => existsSync(jar))) return known
  }
  const goal = ['-q', '-B', '-f', pom, 'dependency:build-classpath', `-Dmdep.outputFile=${file}`]
  try {
    await run('mvn', goal, { shell: windows, maxBuffer: 16 << 20 })
  } catch (error) {
    const said = shaped<{ stdout?: string; stderr?: string }>(error)
    throw new Error(`Maven could not resolve ${release}:\n${said.stdout ?? ''}${said.stderr ?? ''}`, { cause: error })
  }
  return readFileSync(file, 'utf8').trim()
}

/** Compiles the driver against a release; returns the class path to run it with. */
export function driverClassPath(release: Release, program: 'Driver' | 'Admin' = 'Driver'): Promise<string> {
  return programClassPath(release, join(javaSources, `${program}.java`))
}

/** Compiles a program of one file against a release, if it has changed; returns the class path to run it with. */
export async function programClassPath(release: Release, source: string): Promise<string> {
  const jars = await classPath(release)
  const digest = createHash('sha256').update(readFileSync(source)).update(jars).digest('hex').slice(0, 12)
  const folder = cacheFolder(join('driver', `${release}-${basename(source, '.java')}-${digest}`))
  // Whole once it is there: another scenario, or another process, may be compiling the same.
  const classes = join(folder, 'classes')
  if (!existsSync(classes)) {
    const made = mkdtempSync(join(folder, 'made-'))
    await run('javac', ['-nowarn', '-encoding', 'UTF-8', '-d', made, '-cp', jars, source])
    try {
      renameSync(made, classes)
    } catch (error) {
      if (!existsSync(classes)) throw error
      rmSync(made, { recursive: true })
    }
  }
  return classes + delimiter + jars
}
