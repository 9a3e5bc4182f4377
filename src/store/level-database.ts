/** LevelDB. The only file that imports it. */
import { Level } from 'level'
import type { Database, DatabaseChange, OpenDatabase } from './database.ts'

class LevelDatabase implements Database {
  readonly #level: Level<string, Buffer>
  /** A write failed and may have left half a record in LevelDB's log, behind which nothing must be written. */
  #mustReopen = false

  constructor(level: Level<string, Buffer>) {
    this.#level = level
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#level.get(key)
  }

  rows(from: string, below: string): AsyncIterable<readonly [key: string, value: Buffer]> {
    return this.#level.iterator({ gte: from, lt: below })
  }

  async write(changes: readonly DatabaseChange[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#mustReopen) {
      await this.#level.close()
      await this.#level.open()
    }
    this.#mustReopen = true
    await this.#level.batch([...changes], options)
    this.#mustReopen = false
  }

  clear(): Promise<void> {
    return this.#level.clear()
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

export const openLevelDatabase: OpenDatabase = async (folder) => {
  const level = new Level<string, Buffer>(folder, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
  await level.open()
  return new LevelDatabase(level)
}
