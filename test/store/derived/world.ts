/** A message store over a memory log and a disk that crashes, beside a naive model of what it must say. */
import { seededRandom, type Random } from '../../../src/lib/prng.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { frameIndex, frameOffset, frameRecordsStart } from '../../../src/message/entry-frame.ts'
import { encodeProperties } from '../../../src/message/properties.ts'
import { recordOffset, recordSize } from '../../../src/message/record.ts'
import type { DerivedOptions } from '../../../src/store/derived-options.ts'
import { MessageStore } from '../../../src/store/message-store.ts'
import { draft } from '../../message/drafts.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { CrashDisk } from './crash-disk.ts'
import { MemoryLog } from './memory-log.ts'

export interface ModelMessage {
  readonly queueOffset: number
  readonly offset: number
  readonly record: Buffer
  readonly timestampMs: number
  readonly tag: string | undefined
  readonly keys: readonly string[]
}

export interface ModelQueue {
  min: number
  next: number
  messages: ModelMessage[]
}

export interface Sent {
  readonly topic: string
  readonly queueId: number
  readonly tag?: string | undefined
  readonly keys?: readonly string[] | undefined
  readonly bodyBytes?: number | undefined
}

type Command = { readonly kind: 'delete'; readonly topic: string } | { readonly kind: 'start'; readonly offset: number }

export const SMALL: Partial<DerivedOptions> = {
  pageFileBytes: 4 * 4096,
  cacheBytes: 3 * 4096,
  maxOpenFiles: 2,
  checkpointBytes: 1e9,
  dirtyBytes: 1e9,
  tailBytes: 2048,
  youngBytes: 20_000,
}

export class World {
  readonly log: MemoryLog
  readonly disk: CrashDisk
  readonly random: Random
  readonly clock = new ManualClock()
  readonly model: Map<string, Map<number, ModelQueue>>
  readonly fatals: Error[] = []
  /** Writes what goes alongside a checkpoint. */
  writeAlongside: () => Promise<void> = () => Promise.resolve()
  readonly #commands: Map<number, Command>
  readonly #options: Partial<DerivedOptions>
  #store: MessageStore | undefined
  logStart = 0

  private constructor(
    seed: number,
    options: Partial<DerivedOptions>,
    shared?: World,
    disk = new CrashDisk(),
    log = shared?.log ?? new MemoryLog(),
  ) {
    this.random = seededRandom(seed)
    this.#options = options
    this.disk = disk
    this.log = log
    this.model = shared?.model ?? new Map()
    this.#commands = shared === undefined ? new Map() : shared.#commands
  }

  /** Another node over the same model and log (or one of its own), with a disk of its own. */
  static async over(other: World, disk: CrashDisk, log = other.log): Promise<World> {
    const world = new World(2, other.#options, other, disk, log)
    world.logStart = other.logStart
    await world.open()
    return world
  }

  static async create(seed = 1, options: Partial<DerivedOptions> = SMALL): Promise<World> {
    const world = new World(seed, options)
    await world.open()
    return world
  }

  get store(): MessageStore {
    if (this.#store === undefined) throw new Error('no store')
    return this.#store
  }

  async open(): Promise<void> {
    let isCurrent = true
    const store = await MessageStore.open({
      fileSystem: this.disk.process(),
      folder: '/derived',
      log: this.log,
      clock: this.clock,
      logger: silentLog,
      options: this.#options,
      alongside: () => () => this.writeAlongside(),
      fatal: (error) => {
        if (isCurrent) this.fatals.push(error)
      },
    })
    this.#retire = () => (isCurrent = false)
    this.#store = store
    // The tables may stand earlier than the queues: what is derived already is applied again and must change nothing.
    const again = Math.max(this.log.startIndex, store.appliedIndex - this.random.integer(0, 30))
    for (let index = again + 1; index <= this.log.lastIndex; index++) await this.#apply(index)
  }

  /** Applies what the store has not applied yet. */
  replay(): void {
    for (let index = this.store.appliedIndex + 1; index <= this.log.lastIndex; index++) {
      const command = this.#commands.get(index)
      if (command?.kind === 'delete') this.store.deleteTopic(command.topic, index)
      this.#applyFrame(index)
    }
  }

  #retire: () => void = () => undefined

  send(...sent: readonly Sent[]): void {
    this.log.timestampMs += this.random.integer(0, 3)
    const offsets: number[] = []
    const queues: ModelQueue[] = []
    for (const { topic, queueId } of sent) {
      const queue = this.modelQueue(topic, queueId)
      offsets.push(queue.next++)
      queues.push(queue)
    }
    const drafts = sent.map(({ topic, queueId, tag, keys = [], bodyBytes = 10 }) => {
      const properties: [string, string][] = []
      if (tag !== undefined) properties.push(['TAGS', tag])
      if (keys.length > 0) properties.push(['KEYS', keys.join(' ')])
      return draft({ topic, queueId, body: Buffer.alloc(bodyBytes, 0x61), properties: encodeProperties(properties) })
    })
    const frame = this.log.append(drafts, offsets)
    let at = frameRecordsStart(frame, 0)
    sent.forEach(({ tag, keys = [] }, i) => {
      const size = recordSize(frame, at)
      const queueOffset = offsets[i] ?? 0
      const { timestampMs } = this.log
      const offset = recordOffset(frame, at)
      queues[i]?.messages.push({ queueOffset, offset, record: frame.subarray(at, at + size), timestampMs, tag, keys })
      at += size
    })
    this.store.apply(frame)
    this.store.takeTouched()
  }

  /** An entry that deletes the topic. */
  deleteTopic(topic: string): void {
    const index = frameIndex(this.log.append([], [], Buffer.from('delete')), 0)
    this.#commands.set(index, { kind: 'delete', topic })
    this.model.delete(topic)
    this.store.deleteTopic(topic, index)
    this.#applyFrame(index)
  }

  /** An entry that moves the log's start to a frame, and what follows from it. */
  async moveStart(part: number): Promise<void> {
    const { frames } = this.log
    const frame = frames[Math.floor(part * frames.length)]
    if (frame === undefined) return
    const offset = frameOffset(frame, 0)
    const index = frameIndex(this.log.append([], [], Buffer.from('start')), 0)
    this.#commands.set(index, { kind: 'start', offset })
    this.#applyFrame(index)
    this.#modelStart(offset)
    await this.store.moveLogStart(offset)
    this.log.dropBefore(offset)
  }

  modelQueue(topic: string, queueId: number): ModelQueue {
    let queues = this.model.get(topic)
    if (queues === undefined) this.model.set(topic, (queues = new Map()))
    let queue = queues.get(queueId)
    if (queue === undefined) queues.set(queueId, (queue = { min: 0, next: 0, messages: [] }))
    return queue
  }

  /** Kills the process: at most `ticks` more steps of what it was doing happen. Then starts it again. */
  async crash(ticks: number): Promise<void> {
    for (let i = 0; i < ticks; i++) await Promise.resolve()
    this.#retire()
    this.disk.fault = () => undefined
    this.disk.crash(this.random)
    await this.open()
  }

  /** Stops, loses the checkpoint, and starts: everything is derived again from the log. */
  async rebuild(): Promise<void> {
    await this.store.close()
    this.#retire()
    await this.disk.unlink('/derived/checkpoint')
    await this.open()
  }

  async restart(): Promise<void> {
    await this.store.close()
    this.#retire()
    await this.open()
  }

  #modelStart(offset: number): void {
    this.logStart = Math.max(this.logStart, offset)
    for (const queues of this.model.values()) {
      for (const queue of queues.values()) {
        queue.messages = queue.messages.filter((message) => message.offset >= this.logStart)
        queue.min = queue.messages[0]?.queueOffset ?? queue.next
      }
    }
  }

  async #apply(index: number): Promise<void> {
    const command = this.#commands.get(index)
    if (command?.kind === 'delete') this.store.deleteTopic(command.topic, index)
    this.#applyFrame(index)
    if (command?.kind === 'start') await this.store.moveLogStart(command.offset)
  }

  #applyFrame(index: number): void {
    const frame = this.log.frame(index)
    if (frame === undefined) throw new Error(`entry ${index} is not in the log`)
    this.store.apply(frame)
    this.store.takeTouched()
  }
}
