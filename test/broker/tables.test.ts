import { fc, test } from '@fast-check/vitest'
import { pack, unpack } from 'msgpackr'
import { describe, expect } from 'vitest'
import { ConsumerOffsets, offsetCommands } from '../../src/broker/tables/consumer-offsets.ts'
import { DelayOffsets } from '../../src/broker/timed/delay-offsets.ts'
import type { Command, ReplicatedTable } from '../../src/broker/needs.ts'
import { QueueLocks } from '../../src/broker/tables/queue-locks.ts'
import {
  createSubscriptionGroups,
  subscriptionGroup,
  systemGroups,
} from '../../src/broker/tables/subscription-groups.ts'
import { digestRows } from '../../src/broker/tables/table-rows.ts'
import { createTopics, systemTopics, topicConfig } from '../../src/broker/tables/topics.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** The tables of one replica, fed as the state machine feeds them. */
class Replica {
  readonly offsets = new ConsumerOffsets()
  readonly delays = new DelayOffsets()
  readonly locks = new QueueLocks({
    proposals: { commandWithRecords: () => Promise.reject(new Error('not used')) },
    leadership: { term: 1 },
    clock: new ManualClock(),
    leaseMs: 60_000,
  })
  readonly topics = createTopics({ deleted: (topic) => this.offsets.forgetTopic(topic) })
  readonly groups = createSubscriptionGroups({
    deleted: (group, withOffsets) => {
      this.locks.forgetGroup(group)
      if (withOffsets) this.offsets.forgetGroup(group)
    },
  })
  /** What `takeChanges` wrote down so far, by table. */
  readonly snapshot = new Map<string, Map<string, unknown>>()

  get tables(): readonly ReplicatedTable[] {
    return [this.topics, this.groups, this.offsets, this.locks, this.delays]
  }

  apply(command: Command, timestampMs: number): void {
    const table = this.tables.find(({ name }) => name === command.table)
    if (table === undefined) throw new Error(`no table ${command.table}`)
    const args: unknown = unpack(pack(command.args))
    if (!Array.isArray(args)) throw new Error('arguments are a list')
    table.apply(command.op, args, { timestampMs })
  }

  writeDown(): void {
    for (const table of this.tables) {
      const rows = this.snapshot.get(table.name) ?? new Map<string, unknown>()
      this.snapshot.set(table.name, rows)
      for (const [key, value] of table.takeChanges()) {
        if (value === undefined) rows.delete(key)
        else rows.set(key, unpack(pack(value)))
      }
    }
  }

  /** A replica that begins with what another one wrote down. */
  static from(snapshot: ReadonlyMap<string, ReadonlyMap<string, unknown>>): Replica {
    const replica = new Replica()
    for (const table of replica.tables) table.load(snapshot.get(table.name) ?? [])
    return replica
  }

  digests(): string[] {
    return this.tables.map((table) => digestRows(table.rows()))
  }
}

const name = fc.constantFrom('a', 'B', 'c-1', '%RETRY%a', '0x')
const queueId = fc.nat(3)
const topics = createTopics({ deleted: () => undefined }).commands
const groups = createSubscriptionGroups({ deleted: () => undefined }).commands
const topic = fc
  .record({ topic: name, queues: fc.nat(8) })
  .map(({ topic, queues }) => topicConfig(topic, { readQueueNums: queues }))
const changes = fc.constantFrom<Record<string, string>>({}, { '+message.type': 'FIFO' }, { '-message.type': '' })

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.array(topic, { maxLength: 3 }).map((rows) => topics.form(rows)),
  topic.map((row) => topics.create(row)),
  fc.tuple(topic, changes).map(([row, change]) => topics.update([row], [change])),
  name.map((topic) => topics.delete(topic)),
  name.map((group) => groups.create(subscriptionGroup(group))),
  fc
    .tuple(name, fc.nat(20))
    .map(([group, retryMaxTimes]) => groups.update([subscriptionGroup(group, { retryMaxTimes })], [{}])),
  fc.tuple(name, fc.boolean()).map(([group, withOffsets]) => groups.delete(group, withOffsets)),
  fc
    .array(
      fc.record({ topic: name, group: name, offsets: fc.array(fc.tuple(queueId, fc.nat())).map((it) => new Map(it)) }),
      {
        maxLength: 4,
      },
    )
    .map((commits) => offsetCommands.commit(commits)),
  name.map((topic) => offsetCommands.removeTopic(topic)),
  name.map((group) => offsetCommands.removeGroup(group)),
  fc
    .record({
      op: fc.constantFrom('lock', 'unlock'),
      group: name,
      client: name,
      queues: fc.array(fc.tuple(name, queueId)),
    })
    .map(({ op, group, client, queues }) => ({
      table: 'queueLocks',
      op,
      args: [group, client, queues.map(([topic, id]) => `${topic}@${id}`)],
    })),
)

describe('the replicated tables', () => {
  test.prop([fc.array(command, { maxLength: 40 })])(
    'are equal on replicas that applied the same commands',
    (commands) => {
      const [first, second] = [new Replica(), new Replica()]
      commands.forEach((one, at) => first.apply(one, at))
      commands.forEach((one, at) => second.apply(one, at))
      expect(first.digests()).toEqual(second.digests())
    },
  )

  test.prop([fc.array(command, { maxLength: 40 }), fc.array(fc.nat(40)), fc.array(command, { maxLength: 10 })])(
    'are the same again after they were written down change by change and loaded',
    (commands, writeDowns, more) => {
      const replica = new Replica()
      commands.forEach((one, at) => {
        replica.apply(one, at)
        if (writeDowns.includes(at)) replica.writeDown()
      })
      replica.writeDown()
      const loaded = Replica.from(replica.snapshot)
      expect(loaded.digests()).toEqual(replica.digests())
      more.forEach((one) => {
        replica.apply(one, 1_000)
        loaded.apply(one, 1_000)
      })
      expect(loaded.digests()).toEqual(replica.digests())
    },
  )

  test.prop([fc.array(command, { maxLength: 40 })])(
    'give their rows in key order, as `load` takes them',
    (commands) => {
      const replica = new Replica()
      commands.forEach((one, at) => replica.apply(one, at))
      for (const table of replica.tables) {
        const keys = [...table.rows()].map(([key]) => key)
        expect(keys).toEqual([...keys].sort())
      }
      const loaded = Replica.from(new Map(replica.tables.map((table) => [table.name, new Map(table.rows())])))
      expect(loaded.digests()).toEqual(replica.digests())
    },
  )

  test('a digest does not depend on the order in which queues were heard of, and does on their offsets', () => {
    expect(digestOf([1, 5], [0, 7])).toBe(digestOf([0, 7], [1, 5]))
    expect(digestOf([1, 5], [0, 7])).not.toBe(digestOf([1, 5], [0, 8]))
  })
})

describe('topics', () => {
  test('of a new group are the system’s, with RocketMQ’s queues and permissions', () => {
    const rows = systemTopics({
      clusterName: 'C',
      brokerName: 'b',
      autoCreateTopicEnable: true,
      defaultTopicQueueNums: 8,
      clusterTopicEnable: true,
      brokerTopicEnable: true,
      traceTopicEnable: true,
      msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
      reviveQueueNum: 8,
    })
    const shape = rows.map((row) => [row.topicName, row.readQueueNums, row.perm])
    expect(shape).toEqual(
      expect.arrayContaining([
        ['TBW102', 8, 7],
        ['BenchmarkTest', 1024, 6],
        ['C', 16, 7],
        ['b', 1, 7],
        ['SCHEDULE_TOPIC_XXXX', 18, 6],
        ['RMQ_SYS_TRACE_TOPIC', 1, 6],
        ['C_REPLY_TOPIC', 1, 6],
        ['rmq_sys_REVIVE_LOG_C', 8, 6],
        ['rmq_sys_SYNC_BROKER_MEMBER_b', 1, 1],
        ['RMQ_SYS_TRANS_HALF_TOPIC', 1, 6],
      ]),
    )
  })

  test('that are there are not made again, and change nothing', () => {
    const { topics: table } = new Replica()
    table.apply('create', [topicConfig('T', { readQueueNums: 4 })], { timestampMs: 1 })
    const version = table.version
    table.apply('create', [topicConfig('T', { readQueueNums: 9 })], { timestampMs: 2 })
    expect(table.get('T')?.readQueueNums).toBe(4)
    expect(table.version).toBe(version)
  })

  test('take what groups committed with them when they are deleted', () => {
    const replica = new Replica()
    replica.apply(topics.create(topicConfig('T')), 1)
    replica.apply(offsetCommands.commit([{ topic: 'T', group: 'g', offsets: new Map([[0, 9]]) }]), 2)
    replica.apply(offsetCommands.commit([{ topic: 'TT', group: 'g', offsets: new Map([[0, 9]]) }]), 2)
    replica.apply(topics.delete('T'), 3)
    expect(replica.offsets.get('T', 'g', 0)).toBeUndefined()
    expect(replica.offsets.get('TT', 'g', 0)).toBe(9)
  })

  test('keep attributes that an update does not name', () => {
    const replica = new Replica()
    replica.apply(topics.update([topicConfig('T')], [{ '+message.type': 'FIFO' }]), 1)
    replica.apply(topics.update([topicConfig('T', { perm: 4 })], [{}]), 2)
    expect(replica.topics.get('T')).toMatchObject({ perm: 4, attributes: { 'message.type': 'FIFO' } })
    replica.apply(topics.update([topicConfig('T')], [{ '-message.type': '' }]), 3)
    expect(replica.topics.get('T')?.attributes).toEqual({})
  })
})

test('groups keep their offsets when deleted without them', () => {
  const replica = new Replica()
  replica.apply(groups.form(systemGroups()), 1)
  replica.apply(groups.create(subscriptionGroup('g')), 1)
  const commit = offsetCommands.commit([{ topic: 'T', group: 'g', offsets: new Map([[0, 9]]) }])
  replica.apply(commit, 2)
  replica.apply(groups.delete('g', false), 3)
  expect(replica.offsets.get('T', 'g', 0)).toBe(9)
  replica.apply(groups.delete('g', true), 4)
  expect(replica.offsets.get('T', 'g', 0)).toBeUndefined()
  expect(replica.groups.has('TOOLS_CONSUMER')).toBe(true)
})

function digestOf(...pairs: [number, number][]): string {
  const table = new ConsumerOffsets()
  for (const pair of pairs) {
    table.apply('commit', offsetCommands.commit([{ topic: 't', group: 'g', offsets: new Map([pair]) }]).args)
  }
  return digestRows(table.rows())
}
