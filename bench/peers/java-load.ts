/** The stock Java client's load program (`bench/java/StockLoad.java`), resolved and compiled. */
import { join } from 'node:path'
import { missingTool, programClassPath } from '../../test/interop/support/maven.ts'
import { cacheFolder } from '../../test/interop/support/places.ts'
import { root } from '../command-line.ts'
import type { LoadCommand } from '../load/load-process.ts'

/** Rejects where a JDK or Maven is missing, or Maven Central does not answer. */
export async function javaLoad(): Promise<LoadCommand> {
  const missing = await missingTool()
  if (missing !== undefined) throw new Error(`${missing} is not installed`)
  const path = await programClassPath('client-5.5', join(root, 'bench/java/StockLoad.java'))
  const jvm = ['-Xms256m', '-Xmx512m', `-Duser.home=${cacheFolder('home')}`, '-Drocketmq.client.logUseSlf4j=false']
  return { command: 'java', args: [...jvm, '-cp', path, 'StockLoad'] }
}
