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

/** What one entry of the log holds. */
export interface MemoryEntry {
  readonly command: Command | undefined
  readonly drafts: readonly RecordDraft[]
  readonly timestampMs: number
}

/** Applies at once, unless told otherwise. */
export class MemoryLog implements Proposals {
  readonly commands: Command[] = []
  readonly tables = new Map<string, ReplicatedTable>()
  readonly queues = new Map<string, Buffer[]>()
  /** Lowest queueOffset kept, by `topic@queueId`. */
  readonly lowest = new Map<string, number>()
  /** What every proposal fails with. */
  failure: Error | undefined
  /** What whoever asks for room is told. */
  full: Error | undefined
  /** Why a record that was proposed could not be written: a node would have ended. */
  broken: Error | undefined
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

  checkRoom(): void {
    if (this.full !== undefined) throw this.full
  }

  records(
    drafts: readonly RecordDraft[],
    done: (error: Error | undefined, stored: readonly Stored[] | undefined) => void,
    isEarly = false,
  ): void {
    this.early.push(isEarly)
    this.#decide(() =>
      this.failure === undefined ? done(undefined, this.#now(undefined, drafts).stored) : done(this.failure, undefined),
    )
  }

  command(command: Command): Promise<unknown> {
    return this.#later(() => this.#now(command, []).result)
  }

  commandWithRecords(command: Command, drafts: readonly RecordDraft[]): Promise<readonly Stored[]> {
    return this.#later(() => this.#now(command, drafts).stored)
  }

  /** As a replica does: the command first. */
  apply({ command, drafts, timestampMs }: MemoryEntry): { readonly result: unknown; readonly stored: Stored[] } {
    const result = command === undefined ? undefined : this.#apply(command, timestampMs)
    return { result, stored: this.#store(drafts, timestampMs) }
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

  #now(command: Command | undefined, drafts: readonly RecordDraft[]): ReturnType<MemoryLog['apply']> {
    return this.apply({ command, drafts, timestampMs: this.#clock.nowMs() })
  }

  #apply(command: Command, timestampMs: number): unknown {
    this.commands.push(command)
    const table = this.tables.get(command.table)
    if (table === undefined) throw new Error(`no table ${command.table}`)
    // As it comes back from the log: plain data.
    const { op, args } = structuredClone(command)
    return table.apply(op, args, { timestampMs })
  }

  #store(drafts: readonly RecordDraft[], storeTimestampMs: number): Stored[] {
    const index = ++this.#index
    return drafts.map((draft) => {
      const key = `${draft.topic}@${draft.queueId}`
      const queue = this.queues.get(key) ?? []
      this.queues.set(key, queue)
      const stored = { queueOffset: queue.length, offset: this.#end, storeTimestampMs, index }
      const record = Buffer.alloc(recordLength(draft))
      try {
        this.#end += writeRecord(draft, record, 0, stored)
        checkWritten(draft, decodeRecord(record, 0))
      } catch (error) {
        this.broken = error instanceof Error ? error : new Error(String(error))
        throw error
      }
      queue.push(record)
      this.onStored?.(draft, stored)
      return stored
    })
  }
}

/** Fields of 32 bits do not say that a number was too large for them. */
function checkWritten(draft: RecordDraft, written: StoredMessage): void {
  for (const field of ['queueId', 'flag', 'reconsumeTimes', 'bornTimestampMs'] as const) {
    if (draft[field] !== written[field]) throw new Error(`${field} ${draft[field]} became ${written[field]}`)
  }
}
