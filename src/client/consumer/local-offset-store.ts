/**
 * Offsets of a broadcast consumer: every member reads everything, so each keeps its own, in a file of its own
 * (RocketMQ LocalFileOffsetStore). Written whole to a temporary file, synced, then renamed over the old one: a crash
 * leaves the old offsets or the new ones. Its folder is made where it is missing, as RocketMQ's is.
 *
 *     { "version": 1, "offsets": { "topic@broker@queueId": 42 } }
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { clientErrors } from '../core/errors.ts'
import { queueKey } from '../core/message-queue.ts'
import type { OffsetStore } from './offset-store.ts'

const VERSION = 1

/** Errors of `read` and `commit`: `CLIENT_OFFSET_FILE`. */
export function localOffsetStore(path: string): OffsetStore {
  let offsets: Map<string, number> | undefined
  /** Writes are one behind the other: two renames never race. */
  let writing: Promise<void> = Promise.resolve()

  return {
    async read(queue) {
      offsets ??= await load(path)
      return offsets.get(queueKey(queue))
    },
    async commit(changes) {
      offsets ??= await load(path)
      for (const { queue, queueOffset } of changes) offsets.set(queueKey(queue), queueOffset)
      const snapshot = offsets
      const write = writing.then(() => save(path, snapshot))
      writing = write.catch(() => undefined)
      await write
    },
  }
}

async function load(path: string): Promise<Map<string, number>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return new Map()
    throw clientErrors.create('CLIENT_OFFSET_FILE', `${path}: ${errorMessage(error)}`, error)
  }
  const offsets = parse(text)
  if (offsets === undefined) {
    throw clientErrors.create('CLIENT_OFFSET_FILE', `${path} is no offset file: remove it to start anew`)
  }
  return offsets
}

function parse(text: string): Map<string, number> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('version' in value) || !('offsets' in value)) return undefined
  const { version, offsets } = value
  if (version !== VERSION || typeof offsets !== 'object' || offsets === null) return undefined
  const rows = new Map<string, number>()
  for (const [key, queueOffset] of Object.entries(offsets)) {
    if (typeof queueOffset !== 'number' || !Number.isSafeInteger(queueOffset) || queueOffset < 0) return undefined
    rows.set(key, queueOffset)
  }
  return rows
}

async function save(path: string, offsets: ReadonlyMap<string, number>): Promise<void> {
  const text = JSON.stringify({ version: VERSION, offsets: Object.fromEntries(offsets) })
  const temporary = `${path}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(text)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    throw clientErrors.create('CLIENT_OFFSET_FILE', `${path}: ${errorMessage(error)}`, error)
  }
}
