/** Options of topics, groups and messages; a part of `options-table.ts`. */
import { boolean, integer, option } from '../../lib/options.ts'
import { name } from './options-values.ts'

const KiB = 1024
const MiB = 1024 * KiB

export const messageOptions = {
  maxMessageSize: integer({
    default: 4 * MiB,
    min: 1,
    max: 12 * MiB,
    scope: 'group',
    doc: 'Bytes of a message body, or of a whole batch, at most.',
  }),
  maxInFlightBytes: integer({
    default: 32 * MiB,
    min: MiB,
    doc: 'Bytes of requests taken and not yet decided; above it sends are answered "system busy".',
  }),
  brokerFastFailureEnable: boolean({
    default: true,
    doc: 'Whether a send that cannot expect to be stored soon is answered "system busy" at once.',
  }),
  waitTimeMillsInSendQueue: integer({
    default: 200,
    min: 10,
    max: 60_000,
    doc: 'How long a send may wait before the log takes it, a quarter of it before a log that is behind; who would wait longer is answered "system busy" (brokerFastFailureEnable).',
  }),
  decideWithinMs: integer({
    default: 2500,
    min: 100,
    max: 60_000,
    doc: 'After so long a send is answered, decided or not. Below the 3 s after which stock clients give up.',
  }),
  forwardWithinMs: integer({
    default: 2500,
    min: 100,
    max: 60_000,
    doc: 'How long a follower looks for the leader and waits for its answer when it forwards a request.',
  }),
  forwardMaxInFlight: integer({ default: 10_000, min: 1, doc: 'Requests being forwarded; more are answered busy.' }),
  forwardMaxInFlightBytes: integer({ default: 16 * MiB, min: MiB, doc: 'The same in bytes.' }),
  autoCreateTopicEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'A send to a topic that does not exist makes it, after the pattern of TBW102.',
  }),
  autoCreateSubscriptionGroup: boolean({
    default: true,
    scope: 'group',
    doc: 'A consumer group is made when its first member appears.',
  }),
  defaultTopicQueueNums: integer({
    default: 8,
    min: 1,
    max: 1024,
    scope: 'group',
    doc: 'Queues of TBW102, and so at most those of a topic made by a send.',
  }),
  clusterTopicEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'Whether the topic named as the cluster can be used.',
  }),
  brokerTopicEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'Whether the topic named as the broker can be used.',
  }),
  traceTopicEnable: boolean({ default: false, scope: 'group', doc: 'Whether the topic of message traces is made.' }),
  msgTraceTopicName: name({ default: 'RMQ_SYS_TRACE_TOPIC', scope: 'group', doc: 'Its name.' }),
  reviveQueueNum: integer({
    default: 8,
    min: 1,
    max: 1024,
    scope: 'group',
    doc: 'Queues of the topic rmq_sys_REVIVE_LOG.',
  }),
  brokerPermission: option({
    default: 6,
    allowed: '2 (write), 4 (read) or 6 (both)',
    parse: (text) => (/^[246]$/.test(text) ? Number(text) : undefined),
    format: String,
    scope: 'group',
    doc: 'What this broker group allows, as RocketMQ writes permissions: 4 read, 2 write.',
  }),
  enablePropertyFilter: boolean({
    default: false,
    scope: 'group',
    doc: 'Consumers may filter by SQL92 expressions over properties; without it they are refused (code 1), as in RocketMQ.',
  }),
  enableRetryTopicV2: boolean({
    default: false,
    scope: 'group',
    doc: 'What was popped and not acknowledged goes to %RETRY%group+topic instead of %RETRY%group_topic; both are read.',
  }),
  popInflightMessageThreshold: integer({
    default: 10_000,
    min: 1,
    scope: 'group',
    doc: 'Messages of a queue that a group may have popped and not acknowledged; more are not popped.',
  }),
  useServerSideResetOffset: boolean({
    default: true,
    scope: 'group',
    doc: 'Resetting a group (222) sets its committed offsets, whether consumers are online or not.',
  }),
  storeReplyMessageEnable: boolean({
    default: true,
    scope: 'group',
    doc: 'Replies to requests are also stored, in the topic <cluster>_REPLY_TOPIC.',
  }),
  longPollingEnable: boolean({
    default: true,
    doc: 'A pull that finds nothing waits as long as its consumer allows; otherwise for shortPollingTimeMills.',
  }),
  shortPollingTimeMills: integer({ default: 1000, min: 1, max: 60_000, doc: 'That shorter wait, in milliseconds.' }),
  notifyConsumerIdsChangedEnable: boolean({
    default: true,
    doc: 'Consumers are told (code 40) when a member of their group comes or goes.',
  }),
  maxTransferBytesOnMessageInMemory: integer({
    default: 256 * KiB,
    min: KiB,
    max: 16 * MiB,
    doc: 'Bytes of one answer to a pull; one message always goes.',
  }),
  maxTransferCountOnMessageInMemory: integer({
    default: 1024,
    min: 1,
    max: 65_536,
    doc: 'Messages of one answer to a pull, whatever the consumer asks for.',
  }),
  defaultQueryMaxNum: integer({ default: 32, min: 1, max: 10_000, doc: 'Messages that a query by key finds at most.' }),
} as const
