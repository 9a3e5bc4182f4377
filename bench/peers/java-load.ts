/** The stock Java client's load program (`bench/java/StockLoad.java`), resolved and compiled. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { classPath, missingTool } from '../../test/interop/support/maven.ts'
import { root } from '../command-line.ts'
import type { LoadCommand } from '../load/load-process.ts'

const run = promisify(execFile)
let compiled: Promise<LoadCommand> | undefined

/** Rejects where a JDK or Maven is missing, or Maven Central does not answer. */
export function javaLoad(): Promise<LoadCommand> {
  compiled ??= compile()
  return compiled
}

async function compile(): Promise<LoadCommand> {
  const missing = await missingTool()
  if (missing !== undefined) throw new Error(`${missing} is not installed`)
  const jars = await classPath('client-5.5')
  const folder = mkdtempSync(join(tmpdir(), 'raftmq-stock-load-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await run('javac', [
    '-nowarn',
    '-encoding',
    'UTF-8',
    '-d',
    folder,
    '-cp',
    jars,
    join(root, 'bench/java/StockLoad.java'),
  ])
  const jvm = ['-Xms256m', '-Xmx512m', `-Duser.home=${folder}`, '-Drocketmq.client.logUseSlf4j=false']
  return { command: 'java', args: [...jvm, '-cp', `${folder}${delimiter}${jars}`, 'StockLoad'] }
}
