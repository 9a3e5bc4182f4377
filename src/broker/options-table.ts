/**
 * The broker properties that are honoured. Keys that RocketMQ has are RocketMQ's, in its units and with its defaults,
 * but for the flush: where nothing is said, it is sync.
 */
import { boolean, integer, oneOf, optional, option, string } from '../lib/options.ts'
import { durability } from './options-durability.ts'
import { defaultRaftConfig } from '../raft/config.ts'
import { address, addresses, delays, dialAddresses, hours, name, NODE_ID, peerPlaces, port } from './options-values.ts'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const raft = defaultRaftConfig

const identity = {
  brokerClusterName: name({
    default: 'DefaultCluster',
    scope: 'group',
    doc: 'The cluster that routes and tools show.',
  }),
  brokerName: optional(
    name({ default: '', scope: 'group', doc: 'The name of the broker group, as producers and consumers see it.' }),
    'the host name',
  ),
  brokerId: integer({
    default: 0,
    doc: 'Only 0. In a group a node registers as 0 while it leads and as 1 + the number in its id while it follows.',
  }),
  brokerRole: oneOf(['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'], {
    default: 'ASYNC_MASTER',
    doc: 'Not asked with enableDLegerCommitLog. Without it, a master is a group of one; a slave is refused (not yet).',
  }),
} as const

const network = {
  listenPort: port({ default: 10_911, doc: 'Where clients connect.' }),
  bindAddress: string({ default: '0.0.0.0', doc: 'The address to listen on, for clients and for peers.' }),
  brokerIP1: optional(
    string({ default: '', doc: 'The host that clients are told; also stands in message ids.' }),
    'the first address of this machine',
  ),
  raftAdvertisedPort: optional(
    port({ default: 1, doc: 'The port that clients are told, where it differs from listenPort (NAT, proxies).' }),
    'listenPort',
  ),
  namesrvAddr: optional(
    addresses({ default: [], doc: 'The name servers to register with: `a:9876;b:9876`.' }),
    '`NAMESRV_ADDR` of the environment',
  ),
  serverChannelMaxIdleTimeSeconds: integer({
    default: 120,
    min: 1,
    max: 86_400,
    doc: 'A connection without traffic for so long is closed.',
  }),
  channelExpiredTimeout: integer({
    default: 120_000,
    min: 1000,
    doc: 'A client without a heartbeat for so many milliseconds is forgotten.',
  }),
  registerNameServerPeriod: integer({
    default: 30_000,
    min: 10_000,
    max: 60_000,
    doc: 'How often, in milliseconds, the node registers with its name servers even if nothing changed.',
  }),
  registerBrokerTimeoutMills: integer({
    default: 24_000,
    min: 100,
    doc: 'How long a name server may take to answer a registration.',
  }),
} as const

const group = {
  enableDLegerCommitLog: boolean({
    default: false,
    scope: 'group',
    doc: 'The node is a member of the group in dLegerPeers. Otherwise it is a group of one.',
  }),
  dLegerGroup: optional(
    name({ default: '', scope: 'group', doc: 'The name of the Raft group, which peers compare.' }),
    'brokerName',
  ),
  dLegerPeers: optional(
    peerPlaces({ default: [], scope: 'group', doc: 'All members with the address at which their peers reach them.' }),
  ),
  dLegerSelfId: optional(
    string({ default: '', pattern: NODE_ID, allowed: 'an id such as n0', doc: 'Which of the members this node is.' }),
  ),
  preferredLeaderId: optional(
    string({
      default: '',
      pattern: /^n\d{1,4}(;n\d{1,4})*;?$/,
      allowed: 'ids such as n0 with ";" between them',
      doc: 'Members that should lead while they can: the first in the list that is caught up is handed leadership.',
    }),
  ),
  raftListen: optional(
    address({ default: { host: '0.0.0.0', port: 1 }, doc: 'Where peers connect, where it differs from dLegerPeers.' }),
    'bindAddress and the port in dLegerPeers',
  ),
  raftPeerAddresses: dialAddresses({
    default: [],
    defaultDoc: 'as in dLegerPeers',
    doc: 'Where this node dials a peer, where that differs: `n1=127.0.0.1:7001;…`.',
  }),
  raftHeartbeatMs: integer({
    default: raft.heartbeatMs,
    min: 10,
    doc: 'How often a leader that has nothing to say speaks.',
  }),
  raftElectionTimeoutMinMs: integer({
    default: raft.electionTimeoutMinMs,
    min: 20,
    doc: 'A follower that heard no leader for a time drawn between this and the next asks for an election.',
  }),
  raftElectionTimeoutMaxMs: integer({
    default: raft.electionTimeoutMaxMs,
    min: 20,
    doc: 'The upper end of that time.',
  }),
  raftMaxAppendBytes: integer({
    default: raft.maxAppendBytes,
    min: 4 * KiB,
    max: 16 * MiB,
    doc: 'Bytes of one message to a follower, about; one entry always goes.',
  }),
  raftMaxInflightMessages: integer({
    default: raft.maxInflightMessages,
    min: 1,
    max: 65_536,
    doc: 'Messages on the way to one follower and not yet answered.',
  }),
  raftMaxInflightBytes: integer({
    default: raft.maxInflightBytes,
    min: 4 * KiB,
    doc: 'The same in bytes; not below raftMaxAppendBytes.',
  }),
  raftMaxUncommittedBytes: integer({
    default: raft.maxUncommittedBytes,
    min: MiB,
    doc: 'Bytes of entries that a leader holds and that are not committed; above it sends are answered busy.',
  }),
} as const

const store = {
  storePathRootDir: optional(string({ default: '', doc: 'The folder of all data of this node.' }), '`~/store`'),
  storePathCommitLog: optional(
    string({ default: '', pattern: /^[^,]+$/, allowed: 'one folder', doc: 'The folder of the CommitLog.' }),
    '`commitlog` under storePathRootDir',
  ),
  mappedFileSizeCommitLog: integer({
    default: GiB,
    min: 64 * KiB,
    max: 4 * GiB,
    doc: 'Bytes of a segment of the CommitLog. Nodes may differ: followers roll where the leader rolled.',
  }),
  deleteWhen: hours({ default: [4], doc: 'At which hours of the day old segments are dropped, local time.' }),
  fileReservedTime: integer({
    default: 72,
    min: 0,
    max: 876_000,
    doc: 'Hours a segment is kept after its last write.',
  }),
  diskMaxUsedSpaceRatio: integer({
    default: 75,
    min: 10,
    max: 95,
    doc: 'Percent of the disk in use from which old segments are dropped at any hour.',
  }),
  diskSpaceCleanForciblyRatio: integer({
    default: 85,
    min: 30,
    max: 99,
    doc: 'Percent of the disk in use from which segments are dropped whatever their age (cleanFileForciblyEnable).',
  }),
  cleanFileForciblyEnable: boolean({
    default: true,
    doc: 'Whether a full disk may drop segments that are not old yet.',
  }),
  tailCacheBytes: integer({
    default: 32 * MiB,
    min: MiB,
    doc: 'Recent bytes of the CommitLog kept in memory for peers and for consumers that keep up.',
  }),
} as const

const messages = {
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
  messageDelayLevel: delays({
    default: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'.split(' ').map(delayOf),
    scope: 'group',
    doc: 'The delays of levels 1, 2, ….',
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

export const brokerOptionTable = { ...identity, ...network, ...group, ...durability, ...store, ...messages } as const

function delayOf(text: string): number {
  const size = { s: 1000, m: 60_000, h: 3_600_000 }[text.slice(-1)] ?? 0
  return Number(text.slice(0, -1)) * size
}
