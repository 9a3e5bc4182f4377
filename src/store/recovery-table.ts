/**
 * What is done with what is found at open, as data: the first row that matches decides, and a test walks every
 * combination to see that exactly one row matches it.
 */
import { present } from '../lib/assert.ts'

export type Facts = Readonly<Record<string, string>>
/** Allowed values by fact; a fact that is not named may have any value. */
export interface Case<Action extends string> {
  readonly when: Readonly<Record<string, readonly string[]>>
  readonly do: Action
}

export function matches(one: Case<string>, facts: Facts): boolean {
  return Object.entries(one.when).every(([fact, allowed]) => allowed.includes(facts[fact] ?? ''))
}

/** The action of the row that matches. The tables are complete: no match is a bug. */
export function decide<Action extends string>(table: readonly Case<Action>[], facts: Facts): Action {
  return present(
    table.find((one) => matches(one, facts)),
    `recovery case for ${JSON.stringify(facts)}`,
  ).do
}

/** The folder as a whole. */
export const FOLDER_FACTS = {
  /** Whether the folder was begun and never finished: its identity is not written yet. */
  folder: ['new', 'begun'],
  start: ['none', 'sound', 'resetting'],
  mark: ['none', 'sound'],
  /** `whole`: they begin at the log start, follow each other, and reach to the segment that holds the mark. */
  segments: ['none', 'whole', 'gap'],
} as const

export type FolderAction = 'begin' | 'open' | 'finishReset' | 'refuseFileMissing' | 'refuseSegmentMissing'

export const FOLDER_CASES: readonly Case<FolderAction>[] = [
  // Nothing was ever acknowledged from a folder without identity: whatever a crash left of its making is made again.
  { when: { folder: ['new'] }, do: 'begin' },
  { when: { folder: ['begun'], start: ['none'] }, do: 'refuseFileMissing' },
  // The old log is void from the moment the reset was written down, in whatever state a crash left its files.
  { when: { folder: ['begun'], start: ['resetting'] }, do: 'finishReset' },
  { when: { folder: ['begun'], start: ['sound'], mark: ['none'] }, do: 'refuseFileMissing' },
  {
    when: { folder: ['begun'], start: ['sound'], mark: ['sound'], segments: ['none', 'gap'] },
    do: 'refuseSegmentMissing',
  },
  { when: { folder: ['begun'], start: ['sound'], mark: ['sound'], segments: ['whole'] }, do: 'open' },
]

/** One segment. */
export const SEGMENT_FACTS = {
  /** `inner`: another segment begins at its end, which proves that it was synced. */
  place: ['inner', 'last'],
  /** Against where the next one begins; for the last one against the mark: `longer` is what an unclean stop leaves. */
  length: ['shorter', 'right', 'longer'],
  /** What the index file covers of what is known to be durable; `none` also when it is not of these bytes. */
  index: ['none', 'part', 'all'],
} as const

export type SegmentAction = 'trustIndex' | 'scanBehindIndex' | 'scan' | 'refuseLength'

export const SEGMENT_CASES: readonly Case<SegmentAction>[] = [
  { when: { length: ['shorter'] }, do: 'refuseLength' },
  { when: { place: ['inner'], length: ['longer'] }, do: 'refuseLength' },
  { when: { place: ['inner'], length: ['right'], index: ['all'] }, do: 'trustIndex' },
  { when: { place: ['inner'], length: ['right'], index: ['part'] }, do: 'scanBehindIndex' },
  { when: { place: ['inner'], length: ['right'], index: ['none'] }, do: 'scan' },
  { when: { place: ['last'], length: ['right'], index: ['all'] }, do: 'trustIndex' },
  { when: { place: ['last'], length: ['longer'], index: ['all'] }, do: 'scanBehindIndex' },
  { when: { place: ['last'], length: ['right', 'longer'], index: ['part'] }, do: 'scanBehindIndex' },
  { when: { place: ['last'], length: ['right', 'longer'], index: ['none'] }, do: 'scan' },
]

/** One frame that a scan comes to. */
export const FRAME_FACTS = {
  /** Below the mark, or before another segment: it was durable once. */
  zone: ['durable', 'open'],
  frame: ['sound', 'bad'],
} as const

export type FrameAction = 'keep' | 'rot' | 'end'

export const FRAME_CASES: readonly Case<FrameAction>[] = [
  { when: { frame: ['sound'] }, do: 'keep' },
  // It was acknowledged: cutting it off would vote for a log without it. A peer brings it again.
  { when: { zone: ['durable'], frame: ['bad'] }, do: 'rot' },
  // Never reported stable: a torn tail.
  { when: { zone: ['open'], frame: ['bad'] }, do: 'end' },
]
