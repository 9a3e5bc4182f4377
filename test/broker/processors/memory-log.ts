/** A log that applies what is proposed at once: a broker of one node without a disk. */
import type { Clock } from '../../../src/lib/clock.ts'
import {
  decodeRecord,
  type RecordDraft,
  recordLength,
  type StoredMessage,
  writeRecord,
} from '../../../src/message/record.ts'
import type { Command, Proposals, ReplicatedTable, Stored } from '../../../src/broker/needs.ts'

/** Applies at once, unless told otherwise. */
export class MemoryLog implements Proposals {
  readonly commands: Command[] = []
  readonly tables = new Map<string, ReplicatedTable>()
  readonly queues = new Map<string, Buffer[]>()
  /** Lowest queueOffset kept, by `topic@queueId`. */
  readonly lowest = new Map<string, number>()
  /** What every proposal fails with. */
  failure: Error | undefined
  /** While true, proposals wait in `held`. */
  isHolding = false
  /** Of every send, whether it was to be acknowledged when the leader has written it. */
  readonly early: boolean[] = []
  readonly held: (() => void)[] = []
  onStored: ((draft: RecordDraft, stored: Stored) => void) | undefined
  readonly #clock: Clock
  #end = 0
  #index = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  records(
    drafts: readonly RecordDraft[],
    done: (error: Error | undefined, stored: readonly Stored[] | undefined) => void,
    isEarly = false,
  ): void {
    this.early.push(isEarly)
    this.#decide(() =>
      this.failure === undefined ? done(undefined, this.#store(drafts)) : done(this.failure, undefined),
    )
  }

  command(command: Command): Promise<unknown> {
    return this.#later(() => this.#apply(command))
  }

  commandWithRecords(command: Command, drafts: readonly RecordDraft[]): Promise<readonly Stored[]> {
    return this.#later(() => {
      this.#apply(command)
      return this.#store(drafts)
    })
  }

  release(): void {
    for (const decide of this.held.splice(0)) decide()
  }

  messages(topic: string, queueId: number): StoredMessage[] {
    return (this.queues.get(`${topic}@${queueId}`) ?? []).map((record) => decodeRecord(record, 0))
  }

  bounds(topic: string, queueId: number): { min: number; max: number } | undefined {
    const records = this.queues.get(`${topic}@${queueId}`)
    return records === undefined ? undefined : { min: this.lowest.get(`${topic}@${queueId}`) ?? 0, max: records.length }
  }

  all(): Buffer[] {
    return [...this.queues.values()].flat()
  }

  #later<T>(decide: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#decide(() => (this.failure === undefined ? resolve(decide()) : reject(this.failure)))
    })
  }

  #decide(decide: () => void): void {
    if (this.isHolding) this.held.push(decide)
    else decide()
  }

  #apply(command: Command): unknown {
    this.commands.push(command)
    const table = this.tables.get(command.table)
    if (table === undefined) throw new Error(`no table ${command.table}`)
    // As it comes back from the log: plain data.
    const { op, args } = structuredClone(command)
    return table.apply(op, args, { timestampMs: this.#clock.nowMs() })
  }

  #store(drafts: readonly RecordDraft[]): Stored[] {
    const index = ++this.#index
    return drafts.map((draft) => {
      const key = `${draft.topic}@${draft.queueId}`
      const queue = this.queues.get(key) ?? []
      this.queues.set(key, queue)
      const stored = { queueOffset: queue.length, offset: this.#end, storeTimestampMs: this.#clock.nowMs(), index }
      const record = Buffer.alloc(recordLength(draft))
      this.#end += writeRecord(draft, record, 0, stored)
      queue.push(record)
      this.onStored?.(draft, stored)
      return stored
    })
  }
}
