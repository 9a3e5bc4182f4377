/** The options of pull consumers. */
import { knownKeys } from '../../lib/known-keys.ts'
import { checkKeys, checkRanges, given } from '../core/options.ts'
import { groupKeys, resolveGroupOptions } from './group-options.ts'
import type { GroupOptions, ResolvedGroupOptions } from './group-options.ts'

export interface PullConsumerOptions extends GroupOptions {
  /**
   * True (default): what one `poll` gave counts as consumed when the next is called, and is committed every
   * `commitIntervalMs`, when a queue is given up, and at `close()`. False: only `commit()` commits.
   */
  readonly autoCommit?: boolean
  /** Most messages of one poll that does not say. Default 32. */
  readonly pollBatch?: number
}

const keys = knownKeys<PullConsumerOptions>({ ...groupKeys, autoCommit: true, pollBatch: true })

export type ResolvedPullOptions = ResolvedGroupOptions & Pick<Required<PullConsumerOptions>, 'pollBatch'>

const pullDefaults = { autoCommit: true, pollBatch: 32 } as const

/** Errors: `CLIENT_OPTION`. */
export function resolvePullOptions(options: PullConsumerOptions): ResolvedPullOptions {
  checkKeys(options, 'a pull consumer', keys)
  const resolved = { ...pullDefaults, ...given(options), ...resolveGroupOptions(options) }
  checkRanges(resolved)
  return resolved
}
