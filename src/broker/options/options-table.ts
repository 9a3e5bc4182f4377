/**
 * The broker properties that are honoured. Keys that RocketMQ has are RocketMQ's, in its units and with its defaults,
 * but for the flush: where nothing is said, it is sync.
 */
import { boolean, integer, oneOf, optional, string } from '../../lib/options.ts'
import { durability } from './options-durability.ts'
import { defaultRaftConfig } from '../../raft/config.ts'
import { messageOptions } from './options-messages.ts'
import { slaveOptions } from './options-slaves.ts'
import { timedOptions } from './options-timed.ts'
import { address, addresses, dialAddresses, hours, name, NODE_ID, peerPlaces, port } from './options-values.ts'

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
    doc: 'Of a master 0, of a slave its number. In a group a node registers as 0 while it leads and as 1 + the number in its id while it follows.',
  }),
  brokerRole: oneOf(['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'], {
    default: 'ASYNC_MASTER',
    doc: 'Not asked with enableDLegerCommitLog. Without it, a master leads alone, and a slave holds what its master has: SYNC_MASTER waits for that.',
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
    doc: 'The node is a member of the group in dLegerPeers. Otherwise it is a master or a slave (brokerRole).',
  }),
  dLegerGroup: optional(
    name({ default: '', scope: 'group', doc: 'The name of the Raft group, which peers compare.' }),
    'brokerName',
  ),
  dLegerPeers: optional(
    peerPlaces({
      default: [],
      scope: 'group',
      doc: 'The members a new group begins with, and where peers reach them.',
    }),
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
    // What stays longer than two young collections is freed by full ones only: 32 MiB made one every 9 MB of log.
    default: 4 * MiB,
    min: MiB,
    doc: 'Recent bytes of the CommitLog kept in memory for peers and for consumers that keep up.',
  }),
} as const

export const brokerOptionTable = {
  ...identity,
  ...network,
  ...group,
  ...slaveOptions,
  ...durability,
  ...store,
  ...messageOptions,
  ...timedOptions,
} as const
