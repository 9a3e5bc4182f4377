/** Texts by namespace and key, kept in a file (RocketMQ KVConfigManager). A change is made when it is on disk. */
import { errorMessage } from '../lib/errors.ts'
import { defineBody, mapOf, text, withDefault } from '../remoting/shape.ts'
import { namesrvErrors } from './errors.ts'
import type { TextFiles } from './text-files.ts'

type Table = ReadonlyMap<string, ReadonlyMap<string, string>>

/** RocketMQ KVConfigSerializeWrapper: its files are read, and it reads ours. */
const KvConfigFile = defineBody({ configTable: withDefault(mapOf(mapOf(text)), new Map()) })

export class KvConfig {
  readonly #files: TextFiles
  readonly #path: string
  #table: Table = new Map()

  constructor(need: { readonly files: TextFiles; readonly path: string }) {
    this.#files = need.files
    this.#path = need.path
  }

  /** Reads the file, if there is one. Throws NAMESRV_KV_UNREADABLE. */
  load(): void {
    try {
      const content = this.#files.read(this.#path)
      if (content !== undefined && content.trim() !== '') {
        this.#table = KvConfigFile.decode(Buffer.from(content)).configTable
      }
    } catch (error) {
      const message = `${this.#path} cannot be read: ${errorMessage(error)}`
      throw namesrvErrors.create('NAMESRV_KV_UNREADABLE', message, error)
    }
  }

  get(namespace: string, key: string): string | undefined {
    return this.#table.get(namespace)?.get(key)
  }

  /** All pairs of a namespace; undefined when nothing was ever put there. */
  list(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.#table.get(namespace)
  }

  /** Throws NAMESRV_NOT_WRITTEN; then nothing changed. */
  put(namespace: string, key: string, value: string): void {
    this.#replace(namespace, new Map(this.#table.get(namespace)).set(key, value))
  }

  /** Throws NAMESRV_NOT_WRITTEN; then nothing changed. */
  delete(namespace: string, key: string): void {
    const pairs = new Map(this.#table.get(namespace))
    if (pairs.delete(key)) this.#replace(namespace, pairs)
  }

  #replace(namespace: string, pairs: ReadonlyMap<string, string>): void {
    const table = new Map(this.#table).set(namespace, pairs)
    try {
      this.#files.write(this.#path, KvConfigFile.encode({ configTable: table }).toString('utf8'))
    } catch (error) {
      throw namesrvErrors.create('NAMESRV_NOT_WRITTEN', `${this.#path}: ${errorMessage(error)}`, error)
    }
    this.#table = table
  }
}
