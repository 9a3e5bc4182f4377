/** The broker properties of messages that wait: for their delay, for a time of their own, for their transaction's end. */
import { boolean, integer } from '../../lib/options.ts'
import { delays } from './options-values.ts'

export const timedOptions = {
  messageDelayLevel: delays({
    default: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'.split(' ').map(delayOf),
    scope: 'group',
    doc: 'The delays of levels 1, 2, ….',
  }),
  timerWheelEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'Whether messages may wait for a time of their own (TIMER_DELIVER_MS, TIMER_DELAY_MS, TIMER_DELAY_SEC).',
  }),
  timerMaxDelaySec: integer({
    default: 31_622_400,
    min: 1,
    max: 315_360_000,
    scope: 'group',
    doc: 'How long such a message may wait at most. RocketMQ’s default is 259200, three days; here it is 366 days.',
  }),
  recallMessageEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'Whether producers may take waiting messages back by their handle (370). RocketMQ’s default is false.',
  }),
  enableTopicMessageTypeCheck: boolean({
    default: true,
    scope: 'group',
    doc: 'Whether a topic with the attribute message.type takes only what it says, as RocketMQ’s proxy has it (its broker does not).',
  }),
  enableMixedMessageType: boolean({
    default: false,
    scope: 'group',
    doc: 'Whether topics may be of the type MIXED.',
  }),
  rejectTransactionMessage: boolean({
    default: false,
    scope: 'group',
    doc: 'Whether messages of transactions are refused.',
  }),
  transactionTimeOut: integer({
    default: 6000,
    min: 1,
    doc: 'Milliseconds after its birth from which a half message without an end is checked.',
  }),
  transactionCheckInterval: integer({
    default: 30_000,
    min: 100,
    doc: 'How often, in milliseconds, producers are asked what became of their transactions.',
  }),
  transactionCheckMax: integer({
    default: 15,
    min: 1,
    max: 1000,
    scope: 'group',
    doc: 'A half message that was asked about so often goes to TRANS_CHECK_MAX_TIME_TOPIC.',
  }),
} as const

function delayOf(text: string): number {
  const size = { s: 1000, m: 60_000, h: 3_600_000 }[text.slice(-1)] ?? 0
  return Number(text.slice(0, -1)) * size
}
