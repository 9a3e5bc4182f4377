/**
 * What a follower gets whose next entry retention has dropped: with it, the log can begin at its leader's start. A
 * sequence of parts, each
 *
 *     4  length of the payload    4  CRC-32 of the payload    payload: msgpack
 *
 *     ['start', version, the place before the first entry (`log-position.ts`), log start, index of the tables]
 *     ['queues', [[topic, queueId, queueOffset], …]]    where queues begin at the log start, of those above 0
 *     ['rows', table, [[key, value], …]]                rows of the replicated tables, as of their index
 *     ['end', number of parts before]
 *
 * Tables are of an entry behind the start of the log: their commands up to there are not applied again, while queues are
 * derived from the start on. A queue's first message tells where it begins; only queues that lost messages to retention,
 * and may have none left, must be named.
 */
import { crc32 } from 'node:zlib'
import { pack, unpack } from 'msgpackr'
import { errorCode } from '../lib/errors.ts'
import { storeErrors } from './errors.ts'
import { readExactly, type FileSystem, type OpenFile } from './file-system.ts'
import { LACK_OF_ROOM } from './lack-of-room.ts'
import { asPosition, positionFields, type LogPosition } from './log-position.ts'
import type { SnapshotTable } from './table-store.ts'

export interface ResetStart {
  /** The place before the first entry of the log. */
  readonly position: LogPosition
  /** Retention's start: queues are told as they are there; at or behind `position`. */
  readonly logStart: number
  /** Index of the last entry applied to the tables. */
  readonly tablesIndex: number
}

/** Where a queue begins: its lowest queueOffset, which is also how many messages it ever had before. */
export type QueueStart = readonly [topic: string, queueId: number, queueOffset: number]

export type ResetPart =
  | { readonly kind: 'start'; readonly start: ResetStart }
  | { readonly kind: 'queues'; readonly queues: readonly QueueStart[] }
  | { readonly kind: 'rows'; readonly table: string; readonly rows: readonly (readonly [string, unknown])[] }

const VERSION = 1
const PART_HEADER_BYTES = 8
const ROWS_PER_PART = 512
/** What a reader believes of a length before it allocates: rows are small, and few in a part. */
const PART_BYTES_MAX = 64 * 1024 * 1024

/** Encodes a state in bounded parts. All of it is read from queues and tables in the turn in which it is iterated. */
export function* encodeResetState(
  start: ResetStart,
  queues: Iterable<QueueStart>,
  tables: Iterable<Pick<SnapshotTable, 'name' | 'rows'>>,
): Generator<Buffer> {
  let parts = 1
  yield encodePart(['start', VERSION, positionFields(start.position), start.logStart, start.tablesIndex])
  for (const some of chunked(queues)) {
    parts++
    yield encodePart(['queues', some])
  }
  for (const table of tables) {
    for (const some of chunked(table.rows())) {
      parts++
      yield encodePart(['rows', table.name, some])
    }
  }
  yield encodePart(['end', parts])
}

/**
 * Reads the parts of the file at `path`. Throws `STORE_RESET_DAMAGED` unless it is whole and sound; undefined parts never
 * come.
 */
export async function* readResetState(fileSystem: FileSystem, path: string): AsyncGenerator<ResetPart> {
  const file = await fileSystem.open(path, 'read')
  try {
    let position = 0
    for (let parts = 0; ; parts++) {
      const payload = await readPart(file, position)
      position += PART_HEADER_BYTES + payload.length
      const fields: unknown = unpack(payload)
      if (!Array.isArray(fields)) throw damaged('a part is no array')
      const part = asPart(fields)
      if (part === undefined) {
        if (fields[0] === 'end' && fields[1] === parts && position === (await file.size())) return
        throw damaged(`part ${parts} is none`)
      }
      if ((part.kind === 'start') !== (parts === 0)) throw damaged('its beginning is not where it must be')
      yield part
    }
  } finally {
    await file.close()
  }
}

/** Writes `chunks` to `path`, whole and sound and durable, or throws and leaves what was there. */
export async function stageResetState(
  fileSystem: FileSystem,
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<ResetStart> {
  const draft = `${path}.new`
  await fileSystem.unlink(draft)
  const file = await fileSystem.open(draft, 'createNew')
  try {
    let position = 0
    for await (const chunk of chunks) {
      await file.writev([chunk], position)
      position += chunk.length
    }
    await file.fdatasync()
  } catch (error) {
    // Half a state would take the room of what has a use.
    if (LACK_OF_ROOM.has(errorCode(error) ?? '')) await fileSystem.unlink(draft)
    throw error
  } finally {
    await file.close()
  }
  let start: ResetStart | undefined
  for await (const part of readResetState(fileSystem, draft)) if (part.kind === 'start') start = part.start
  if (start === undefined) throw damaged('it has no beginning')
  await fileSystem.rename(draft, path)
  await fileSystem.fsyncFolder(path.slice(0, path.lastIndexOf('/')))
  return start
}

/** A state in a file, to be read in pieces by whoever sends it; the file goes when it is closed. */
export class ResetFile {
  readonly #fileSystem: FileSystem
  readonly #path: string
  readonly #file: OpenFile
  readonly byteLength: number
  readonly start: ResetStart

  private constructor(need: {
    fileSystem: FileSystem
    path: string
    file: OpenFile
    byteLength: number
    start: ResetStart
  }) {
    this.#fileSystem = need.fileSystem
    this.#path = need.path
    this.#file = need.file
    this.byteLength = need.byteLength
    this.start = need.start
  }

  /** Encodes at once, in this turn, and writes then. */
  static async make(
    fileSystem: FileSystem,
    path: string,
    content: {
      readonly start: ResetStart
      readonly queues: Iterable<QueueStart>
      readonly tables: Iterable<Pick<SnapshotTable, 'name' | 'rows'>>
    },
  ): Promise<ResetFile> {
    const { start, queues, tables } = content
    const parts = [...encodeResetState(start, queues, tables)]
    await fileSystem.unlink(path)
    const file = await fileSystem.open(path, 'createNew')
    try {
      await file.writev(parts, 0)
      const byteLength = parts.reduce((sum, part) => sum + part.length, 0)
      return new ResetFile({ fileSystem, path, file, byteLength, start })
    } catch (error) {
      await file.close()
      await fileSystem.unlink(path)
      throw error
    }
  }

  /** `length` bytes at `position`, fewer only at the end. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.byteLength - position))
    const bytes = Buffer.allocUnsafe(wanted)
    return bytes.subarray(0, await this.#file.pread(bytes, position))
  }

  async close(): Promise<void> {
    await this.#file.close()
    await this.#fileSystem.unlink(this.#path)
  }
}

async function readPart(file: OpenFile, position: number): Promise<Buffer> {
  const head = await readExactly(file, position, PART_HEADER_BYTES)
  if (head === undefined) throw damaged('it ends too early')
  const length = head.readUInt32BE(0)
  if (length > PART_BYTES_MAX) throw damaged('a length lies')
  const payload = await readExactly(file, position + PART_HEADER_BYTES, length)
  if (payload === undefined) throw damaged('it ends too early')
  if (crc32(payload) !== head.readUInt32BE(4)) throw damaged('a checksum is wrong')
  return payload
}

function encodePart(fields: readonly unknown[]): Buffer {
  const payload = pack(fields)
  const part = Buffer.allocUnsafe(PART_HEADER_BYTES + payload.length)
  part.writeUInt32BE(payload.length, 0)
  part.writeUInt32BE(crc32(payload), 4)
  part.set(payload, PART_HEADER_BYTES)
  return part
}

function asPart(fields: readonly unknown[]): ResetPart | undefined {
  const [kind, a, b, c, d] = fields
  if (kind === 'start') {
    const position = asPosition(b)
    if (a !== VERSION || position === undefined || !isOffset(c) || !isOffset(d)) return undefined
    return { kind, start: { position, logStart: c, tablesIndex: d } }
  }
  if (kind === 'queues' && isArrayOf(a, isQueueStart)) return { kind, queues: a }
  if (kind === 'rows' && typeof a === 'string' && isArrayOf(b, isRow)) return { kind, table: a, rows: b }
  return undefined
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isArrayOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] {
  return Array.isArray(value) && value.every(isOne)
}

function isQueueStart(value: unknown): value is QueueStart {
  return Array.isArray(value) && typeof value[0] === 'string' && isOffset(value[1]) && isOffset(value[2])
}

function isRow(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string'
}

function* chunked<T>(all: Iterable<T>): Generator<T[]> {
  let some: T[] = []
  for (const one of all) {
    some.push(one)
    if (some.length < ROWS_PER_PART) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

function damaged(why: string): Error {
  return storeErrors.create('STORE_RESET_DAMAGED', `a state received from the leader cannot be used: ${why}`)
}
