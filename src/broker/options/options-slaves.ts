/** Masters and slaves, as RocketMQ's files without DLedger and controller have them (`docs/durability.md`). */
import { boolean, integer, optional, string } from '../../lib/options.ts'
import { address } from './options-values.ts'

const MiB = 1024 * 1024

export const slaveOptions = {
  haListenPort: integer({
    default: 0,
    max: 65_535,
    defaultDoc: '0, which is listenPort + 1',
    doc: 'Where a master and its slaves reach each other. Not asked with enableDLegerCommitLog.',
  }),
  brokerIP2: optional(
    string({ default: '', doc: 'The host that a master and its slaves are told for that.' }),
    'brokerIP1',
  ),
  haMasterAddress: optional(
    address({
      default: { host: '127.0.0.1', port: 1 },
      doc: 'SLAVE: where it dials its master, in place of what the name server says (`haServerAddr`).',
    }),
  ),
  haHousekeepingInterval: integer({
    default: 20_000,
    min: 1000,
    doc: 'SYNC_MASTER: a slave that said nothing for so many milliseconds counts as not connected.',
  }),
  haMaxGapNotInSync: integer({
    default: 256 * MiB,
    min: 1,
    doc: 'SYNC_MASTER: a slave that lacks so many bytes of the log is not waited for.',
  }),
  inSyncReplicas: integer({
    default: 1,
    min: 1,
    max: 15,
    doc: 'SYNC_MASTER: how many must hold a send, the master among them; 1 counts as 2, for waiting is what SYNC_MASTER asks for.',
  }),
  slaveTimeout: integer({
    default: 3000,
    min: 1,
    doc: 'SYNC_MASTER: how long a send waits for the slaves, in milliseconds and no longer than decideWithinMs; then FLUSH_SLAVE_TIMEOUT.',
  }),
  slaveReadEnable: boolean({
    default: false,
    doc: 'Consumers that are far behind are told to pull from a slave (`whichBrokerWhenConsumeSlowly` of their group). A slave answers pulls in any case.',
  }),
  accessMessageInMemoryMaxRatio: integer({
    default: 40,
    min: 1,
    max: 100,
    doc: 'slaveReadEnable: far behind is a log of more than so many percent of the memory of the machine.',
  }),
} as const
