/**
 * Faults planted on purpose, to see that the checkers bite. Each replaces a text that is in its file once, in the sources
 * and in what is built from them alike; the code itself knows nothing of them.
 */
import type { Scope } from '../scopes.ts'

export interface Edit {
  /** Under `src`, without its ending. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant extends Edit {
  readonly name: string
  /** A second place, where one alone breaks nothing. */
  readonly and?: Edit
  /** The simulation that must find it. */
  readonly scope: Scope
  /** A script of `test/raft/scripts` that finds it, too, without its ending. */
  readonly script?: string
  /** Where the same was wrong before. */
  readonly known: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'acks leave before the sync',
    file: 'raft/outbox',
    find: 'batch.logSequence > this.#logDone',
    replace: 'batch.logSequence < 0',
    and: { file: 'raft/message', find: 'message.durable <= durable', replace: 'durable < Infinity' },
    scope: 'core',
    script: 'acks-wait-for-the-disk',
    known: 'DLedger T1',
  },
  {
    name: 'entries of older terms are committed by counting',
    file: 'raft/leader',
    find: '|| node.log.termAt(match) !== node.term',
    replace: '',
    scope: 'core',
    script: 'figure-8',
    known: 'DLedger T4, NATS 7955, Raft figure 8',
  },
  {
    name: 'a vote leaves before it is saved',
    file: 'raft/outbox',
    find: 'batch.hardSequence > this.#hardDone',
    replace: 'batch.hardSequence < 0',
    scope: 'core',
    script: 'vote-leaves-after-it-is-saved',
    known: 'DLedger T3',
  },
  {
    name: 'a vote is forgotten at the restart',
    file: 'raft/replica',
    find: 'const hardState = stableStore.load()',
    replace: 'const hardState = { ...stableStore.load(), vote: null }',
    scope: 'core',
    script: 'vote-survives-a-crash',
    known: 'NATS: repeated votes in a term',
  },
  {
    name: 'appends of a term that is over are obeyed',
    file: 'raft/core',
    find: 'if (message.term < node.term)',
    replace: "if (message.term < node.term && message.type !== 'append')",
    scope: 'core',
    script: 'stale-append-is-fenced',
    known: 'DLedger T2',
  },
  {
    name: 'what a restarted peer had matched is kept',
    file: 'raft/progress',
    find: 'this.match = 0',
    replace: '',
    and: { file: 'raft/progress', find: 'this.durable = 0', replace: '' },
    scope: 'core',
    script: 'restarted-peer-starts-from-nothing',
    known: 'incarnations',
  },
  {
    name: 'the own append counts before it is synced',
    file: 'raft/followers',
    find: 'this.#progress.get(id)?.countedMatch ?? 0)',
    replace: 'id === this.#node.id ? this.#node.log.lastIndex : (this.#progress.get(id)?.countedMatch ?? 0))',
    and: {
      file: 'raft/followers',
      find: 'this.#progress.get(id)?.countedDurable ?? 0)',
      replace: 'id === this.#node.id ? this.#node.log.lastIndex : (this.#progress.get(id)?.countedDurable ?? 0))',
    },
    scope: 'core',
    script: 'own-append-waits-for-the-disk',
    known: 'thesis 10.2.1',
  },
  {
    name: 'votes of logs in doubt complete a quorum',
    file: 'raft/candidate',
    find: '(this.#doubts.has(voter) ? undefined : this.#votes.get(voter))',
    replace: '(this.#votes.get(voter))',
    scope: 'core',
    script: 'log-in-doubt-completes-no-quorum',
    known: 'NATS 7567, Redpanda: why fsync',
  },
  {
    name: 'an empty node votes',
    file: 'raft/core',
    find: 'node.filled && free',
    replace: 'free',
    and: { file: 'raft/core', find: 'node.filled && message.term > node.term', replace: 'message.term > node.term' },
    scope: 'core',
    script: 'empty-disk-does-not-vote',
    known: 'NATS 7567, TigerBeetle format hazard',
  },
  {
    name: 'acks of a node that is being filled count',
    file: 'raft/progress',
    find: 'return this.#counts ? this.match : 0',
    replace: 'return this.match',
    and: {
      file: 'raft/progress',
      find: 'return this.#counts ? this.durable : 0',
      replace: 'return this.durable',
    },
    scope: 'core',
    script: 'empty-disk-is-filled-by-a-real-leader',
    known: 'untrusted log rule',
  },
  {
    name: 'a payload that was read too late is sent anyway',
    file: 'raft/shipper',
    find: 'this.#stopped || core.leading !== leader',
    replace: 'this.#stopped',
    scope: 'core',
    script: 'late-payload',
    known: 'house rule: a range is void once its term is over',
  },
  {
    name: 'stable does not go back with a truncation',
    file: 'raft/outbox',
    find: 'batch.lastIndex = Math.min(batch.lastIndex, index)',
    replace: 'batch.lastIndex = Math.max(batch.lastIndex, 0)',
    scope: 'core',
    script: 'truncation-takes-back-what-was-stable',
    known: 'rabbitmq/ra 637',
  },
  {
    name: 'a vote is given to a shorter log',
    file: 'raft/log-runs',
    find: 'last.index >= end',
    replace: 'true',
    scope: 'core',
    known: 'Raft 5.4.1',
  },
  {
    name: 'no empty entry at an election',
    file: 'raft/leader',
    find: 'this.#firstIndex = this.#appendEmpty()',
    replace: 'this.#firstIndex = node.log.lastIndex',
    scope: 'core',
    known: 'DLedger T5',
  },
  {
    name: 'a read is served without asking a quorum',
    file: 'raft/followers',
    find: 'return progress === undefined || progress.filling !== 0 ? 0 : progress.round',
    replace: 'return Infinity',
    scope: 'core',
    script: 'read-index',
    known: 'thesis 6.4',
  },
  {
    name: 'a joint change needs the new majority only',
    file: 'raft/quorum',
    find: 'return membership.outgoing.length === 0 ? value : Math.min(value, reached(membership.outgoing, valueOf))',
    replace: 'return value',
    scope: 'core',
    known: 'thesis 4.3, NATS 7545',
  },
  {
    name: 'the commit goes back with a late message',
    file: 'raft/node-state',
    find: 'if (index <= this.#commit)',
    replace: 'if (index === this.#commit)',
    scope: 'core',
    known: 'dledger 316',
  },
  {
    name: 'requests are answered before an entry of the own term is applied',
    file: 'broker/group/leadership',
    find: '&& this.#appliedTerm === this.#view.term',
    replace: '',
    scope: 'node',
    known: 'DLedger, RocketMQ 2178',
  },
  {
    name: 'queueOffsets go on where the last leadership of this node ended',
    file: 'broker/node/node-core',
    find: 'this.counters.clear()',
    replace: 'void 0',
    scope: 'node',
    known: 'RocketMQ 7689: two messages share a queueOffset',
  },
  {
    name: 'consumer offsets are kept outside of the log',
    file: 'broker/clients/offset-commits',
    find: 'await this.#need.proposals.command(',
    replace: 'void (',
    scope: 'node',
    known: 'RocketMQ 7790: offsets roll back at a failover',
  },
  {
    name: 'a node serves what is stable and not committed',
    file: 'broker/node/node-core',
    find: 'committed: (index) => this.machine.committed(index),',
    replace: 'committed: () => {}, stable: (index) => this.machine.committed(index),',
    scope: 'node',
    known: 'DLedger T4: read, gone, and its place given to another',
  },
  {
    name: 'sync flush is content with a write',
    file: 'store/log-files',
    find: 'await this.#file.writevDurable(',
    replace: 'await this.#file.writev(',
    scope: 'node',
    known: 'DLedger T1: SYNC_FLUSH ignored',
  },
  {
    name: 'acknowledgements do not wait at the bounds of async flush',
    file: 'store/group-commit',
    find: 'while (this.#unflushedShare() >= 1)',
    replace: 'while (this.#unflushedShare() >= Infinity)',
    scope: 'node',
    known: 'Kafka, RocketMQ: a disk that stands still makes the flush window as long as it likes',
  },
  {
    name: 'async flush is never forced by time',
    file: 'store/group-commit',
    find: 'return Math.max(bytes, age)',
    replace: 'return Math.max(bytes, Math.min(age, 0))',
    scope: 'node',
    known: 'Kafka log.flush.interval: a flush window in messages alone',
  },
  {
    name: 'a log is trusted after a power cut in async flush',
    file: 'store/trust-file',
    find: 'return bootId === null || bootId !== this.#bootId',
    replace: 'return false',
    scope: 'node',
    known: 'Redpanda, Kafka: an unsynced log counts as whole',
  },
  {
    name: 'an election that may have lost something declares nothing',
    file: 'broker/group/loss-report',
    find: '|| this.#declaredTerm === term)',
    replace: '|| term > 0)',
    scope: 'node',
    known: 'KIP-966: a loss that nobody is told of',
  },
  {
    name: 'nobody sets aside what a failover cuts off',
    file: 'store/lost-messages',
    find: 'if (kept.length === 0)',
    replace: 'if (kept.length >= 0)',
    scope: 'node',
    known: 'Kafka, RocketMQ: the tail of an old leader is cut off in silence',
  },
  {
    name: 'nobody tells what was set aside',
    file: 'broker/group/loss-report',
    find: 'if (value.term === 0 || term <= value.term ||',
    replace: 'if (value.term >= 0 ||',
    scope: 'node',
    known: 'KIP-966: a loss that nobody is told of',
  },
  {
    name: 'the group is not told that messages which do not wait are acknowledged',
    file: 'broker/log/early-gate',
    find: '(all || earlyTerm === term)',
    replace: '(all || term > 0)',
    and: { file: 'broker/log/early-gate', find: 'await succeeds(group.tell(term))', replace: 'true' },
    scope: 'node',
    known: 'Kafka, RocketMQ: what a leader alone acknowledged is gone with its disk, in silence',
  },
  {
    name: 'delayed messages are delivered at once',
    file: 'broker/timed/delay-schedule',
    find: 'if (dueMs > clock.monotonicMs()) {',
    replace: 'if (dueMs < 0) {',
    scope: 'node',
    known: 'RocketMQ 6427: delay levels across a failover',
  },
  {
    name: 'the acknowledgement of a pop is answered before it is in the log',
    file: 'broker/processors/pop-ack',
    find: 'await change(key, left, popChanges.ack(key, left))',
    replace: 'change(key, left, popChanges.ack(key, left)).catch(() => undefined)',
    scope: 'node',
    known: 'RocketMQ 7914, 7724: acknowledged messages come again after a failover',
  },
  {
    name: 'an ordered pop gives more while what it gave is not acknowledged',
    file: 'broker/pop/ordered-pops',
    find: 'row.acked[at] !== true && visibleAt(row, at) > nowMs',
    replace: 'at < 0',
    scope: 'node',
    known: 'RocketMQ ConsumerOrderInfoManager: what an order is kept by',
  },
  {
    name: 'a recall is answered before it is in the log',
    file: 'broker/timed/timer-schedule',
    find: 'await this.#propose(found, [])',
    replace: 'this.#propose(found, []).catch(() => undefined)',
    scope: 'node',
    known: 'RocketMQ 7914, 7724: done by its answer, undone by a failover',
  },
  {
    name: 'what is read is handed out without its checksum',
    file: 'message/entry-frame',
    find: 'crc32(buffer.subarray(at + CHECKED_FROM, at + length)) !== frameCrc(buffer, at)',
    replace: 'false',
    scope: 'node',
    known: 'DLedger: checksums that nobody computes',
  },
]

/** Seeds within which a mutant must be found. */
export const seedsMax: Readonly<Record<Scope, number>> = { core: 1000, node: 300 }
