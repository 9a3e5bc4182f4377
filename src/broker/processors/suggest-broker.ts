/**
 * Which node of its group a consumer should pull from next (RocketMQ PullMessageProcessor.composeResponseHeader,
 * DefaultMessageStore.getMessage): far behind the end of the log a slave serves it as well, and leaves the memory of the
 * master to those that keep up.
 */
import { recordOffset } from '../../message/record.ts'
import type { PullResult } from '../../store/consume-queue-pull.ts'
import type { SubscriptionGroup } from '../tables/subscription-groups.ts'

export interface SuggestNeeds {
  readonly store: { readonly endOffset: number }
  readonly leadership: { readonly isReady: boolean }
  readonly options: { readonly slaveReadEnable: boolean; readonly slowPullBytes: number }
}

const MASTER_ID = 0

/** The brokerId to pull from after `result`. */
export function suggestBroker(need: SuggestNeeds, group: SubscriptionGroup, { slices }: PullResult): number {
  const { slaveReadEnable, slowPullBytes } = need.options
  if (!slaveReadEnable) return MASTER_ID
  const [first] = slices
  const isFarBehind = first !== undefined && need.store.endOffset - recordOffset(first, 0) > slowPullBytes
  if (isFarBehind) return group.whichBrokerWhenConsumeSlowly
  // Who has caught up at a slave goes back.
  return need.leadership.isReady ? group.brokerId : MASTER_ID
}
