import { type RecordDraft, recordLength } from '../message/record.ts'

/** What one send brought: all of one topic. */
export interface Put {
  readonly topic: string
  readonly messages: number
  /** In the log. */
  readonly bytes: number
}

/** To be asked before they are on their way: whoever waits for their fate need not keep the drafts. */
export function putOf(drafts: readonly RecordDraft[]): Put {
  let bytes = 0
  for (const draft of drafts) bytes += recordLength(draft)
  return { topic: drafts[0]?.topic ?? '', messages: drafts.length, bytes }
}
