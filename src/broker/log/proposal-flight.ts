/** What a proposal is on its way: the draft that the log encodes, and who waits for its fate. */
import { assert } from '../../lib/assert.ts'
import type { EntryDraft } from '../../message/entry-frame.ts'
import type { RecordDraft } from '../../message/record.ts'
import type { Command, Stored } from '../needs.ts'

/** What `Replica.propose` gets: the adapter to the log fills `placed` when it encodes the entry. */
export interface Draft {
  readonly entry: EntryDraft
  placed: Placed | undefined
}

/** Where an appended entry's records lie. */
export interface Placed {
  /** Offset of each record in the CommitLog. */
  readonly offsets: readonly number[]
  readonly timestampMs: number
}

export type Done = (error: Error | undefined, stored: readonly Stored[] | undefined, result: unknown) => void

export interface Item {
  /** None once they are encoded in an entry: there are many, and they would wait for its fate. */
  drafts: readonly RecordDraft[]
  /** How many records it has. */
  readonly records: number
  readonly command: Command | undefined
  readonly bytes: number
  readonly queuedMs: number
  /** Not decided by then, it is answered as undecided; not proposed by then, it is refused. */
  readonly deadlineMs: number
  /** Whoever sent it does not wait for more than the leader's own write. */
  readonly isEarly: boolean
  /** Undefined once answered. */
  done: Done | undefined
}

export interface Flight {
  readonly index: number
  readonly term: number
  readonly items: readonly Item[]
  /** Of each record. */
  readonly queueOffsets: readonly number[]
  readonly placed: Placed
  readonly bytes: number
  readonly proposedMs: number
  /** Whether it stopped keeping others waiting. */
  isDrained: boolean
  /** Of its items, what was acknowledged before the commit. */
  earlyBytes: number
}

/** What the senders of records `from` to `to` (not included) of the entry are told. */
export function storedOf(flight: Flight, from: number, to: number): Stored[] {
  const stored: Stored[] = []
  for (let at = from; at < to; at++) {
    const queueOffset = flight.queueOffsets[at]
    const offset = flight.placed.offsets[at]
    assert(queueOffset !== undefined && offset !== undefined, 'every record of an entry was placed')
    stored.push({ queueOffset, offset, storeTimestampMs: flight.placed.timestampMs, index: flight.index })
  }
  return stored
}
