/** Pulls, offsets and queries of what `sends.ts` stored. */
import { pullFields } from './pulls.ts'
import { told } from './records.ts'
import { type Asking, type Step, variants } from './steps.ts'

const bounds = ['nextBeginOffset', 'minOffset', 'maxOffset']

const pulling: Asking = {
  code: 11,
  fields: { ...pullFields, topic: '#topic', expressionType: 'TAG' },
  show: bounds,
  tell: ({ body }) => told(body),
}

const sql = (subscription: string): Partial<Asking> => ({ fields: { expressionType: 'SQL92', subscription } })

const pulls: readonly Step[] = variants(pulling, {
  'a pull from the start': {},
  'a pull of one message': { fields: { maxMsgNums: 1 } },
  'a pull of no message': { fields: { maxMsgNums: 0 } },
  'a pull of a negative number of messages': { fields: { maxMsgNums: -1 } },
  'a pull from the second message': { fields: { queueOffset: 1 } },
  'a pull from the end': { fields: { queueOffset: 3 } },
  'a pull from one behind the end': { fields: { queueOffset: 4 } },
  'a pull from far behind the end': { fields: { queueOffset: 4_000 } },
  'a pull from the greatest offset': { fields: { queueOffset: '9223372036854775807' } },
  'a pull from below zero': { fields: { queueOffset: -3 } },
  'a pull of a queue without messages': { fields: { topic: '#empty' } },
  'a pull of a queue that is none': { fields: { queueId: 9 } },
  'a pull of a negative queue': { fields: { queueId: -1 } },
  'a pull of an unknown topic': { fields: { topic: '#nowhere' } },
  'a pull of a topic that can only be written': { fields: { topic: '#writable' } },
  'a pull by a group with an illegal name': { fields: { consumerGroup: 'a b' } },
  'a pull by tag': { fields: { subscription: 'B' } },
  'a pull by two tags': { fields: { subscription: 'B || A' } },
  'a pull by a tag that none has': { fields: { subscription: 'C' } },
  'a pull by separators alone': { fields: { subscription: '||' } },
  'a pull without a subscription, by a group that nobody is in': { fields: { sysFlag: 0, consumerGroup: '#nobody' } },
  'a pull by SQL': sql("TAGS = 'B'"),
  'a pull by SQL that none fulfils': sql('amount > 5'),
  'a pull by bad SQL': sql('amount >'),
  'a pull by an unknown kind of filter': { fields: { expressionType: 'XPATH', subscription: 'a' } },
  'a pull of the other queue': { fields: { queueId: 1 } },
  'a pull of a batch': { fields: { topic: '#batch' } },
})

const queue = { topic: '#topic', queueId: 0 }
const offset: Pick<Asking, 'show'> = { show: ['offset'] }

const bars: readonly Step[] = [
  ...variants(
    { code: 30, fields: queue, ...offset },
    {
      'the end of a queue': {},
      'the end of a queue that is none': { fields: { queueId: 9 } },
      'the end of a queue of an unknown topic': { fields: { topic: '#nowhere' } },
    },
  ),
  ...variants(
    { code: 31, fields: queue, ...offset },
    {
      'the start of a queue': {},
      'the start of a queue that is none': { fields: { queueId: 9 } },
      'the start of a queue of an unknown topic': { fields: { topic: '#nowhere' } },
    },
  ),
  ...variants(
    { code: 29, fields: { ...queue, timestamp: 0 }, ...offset },
    {
      'the offset of the first of all times': {},
      'the offset of a time to come': { fields: { timestamp: 4_000_000_000_000 } },
      'the offset of a time to come, from above': { fields: { timestamp: 4_000_000_000_000, boundaryType: 'UPPER' } },
      'the offset of the first of all times, from above': { fields: { boundaryType: 'upper' } },
      'the offset of a negative time': { fields: { timestamp: -1 } },
      'the offset of a time in a queue that is none': { fields: { queueId: 9, timestamp: 1 } },
      'the offset of a time in an unknown topic': { fields: { topic: '#nowhere', timestamp: 1 } },
    },
  ),
  ...variants(
    { code: 32, fields: queue },
    {
      'the store time of the first message': {
        tell: ({ extFields }) => String(Number(extFields?.['timestamp']) > 1_700_000_000_000),
      },
      'the store time in a queue that is none': { fields: { queueId: 9 }, show: ['timestamp'] },
      'the store time in an unknown topic': { fields: { topic: '#nowhere' }, show: ['timestamp'] },
      'the store time in a queue without messages': { fields: { topic: '#empty' }, show: ['timestamp'] },
    },
  ),
]

const committing: Asking = {
  code: 15,
  fields: { consumerGroup: '#group', topic: '#topic', queueId: 0, commitOffset: 2 },
}
const committed: Asking = {
  code: 14,
  fields: { consumerGroup: '#group', topic: '#topic', queueId: 0 },
  ...offset,
}

const consumers: readonly Step[] = [
  ...variants(committed, {
    'the offset of a group that committed none': {},
    'the offset of such a group, not as zero': { fields: { setZeroIfNotFound: false } },
    'the offset of an unknown group': { fields: { consumerGroup: '#nobody' } },
    'the offset in a queue that is none': { fields: { queueId: 9 } },
    'the offset in an unknown topic': { fields: { topic: '#nowhere' } },
  }),
  ...variants(committing, {
    'a commit': {},
    'a commit by an unknown group': { fields: { consumerGroup: '#strangers' } },
    'a commit in an unknown topic': { fields: { topic: '#nowhere' } },
    'a commit in a queue that is none': { fields: { queueId: 9 } },
    'a commit behind the end': { fields: { commitOffset: 1_000, queueId: 1 } },
    'a commit of what is no number': { fields: { commitOffset: 'x' } },
    'a commit in what is no queue': { fields: { queueId: 'x' } },
    'a commit of nothing': { leave: ['commitOffset'] },
    'a commit in no queue': { leave: ['queueId'] },
  }),
  ...variants(committed, {
    'the offset that was committed': {},
    'the offset that was committed behind the end': { fields: { queueId: 1 } },
  }),
]

const cloning: Asking = {
  code: 314,
  fields: { srcGroup: '#group', destGroup: '#clones', topic: '#topic', offline: true },
}

const clones: readonly Step[] = [
  ...variants(cloning, {
    'offsets are cloned': {},
    'offsets of a group that committed none are cloned': {
      fields: { srcGroup: '#nobody', destGroup: '#clones-of-none' },
    },
    'offsets in an unknown topic are cloned': { fields: { topic: '#nowhere' } },
    'offsets in all topics are cloned': { fields: { topic: '', destGroup: '#clones-of-all' } },
    'offsets are cloned to a group with an illegal name': { fields: { destGroup: 'a b' } },
    'offsets are cloned from nobody': { fields: { srcGroup: '' } },
  }),
  ...variants(committed, {
    'an offset that was cloned': { fields: { consumerGroup: '#clones' } },
    'an offset that was cloned from a group that committed none': {
      fields: { consumerGroup: '#clones-of-none', setZeroIfNotFound: false },
    },
    'an offset that was cloned in all topics': {
      fields: { consumerGroup: '#clones-of-all', setZeroIfNotFound: false },
    },
  }),
]

const litePulls: readonly Step[] = variants(
  { ...pulling, code: 361 },
  {
    'a lite pull from the start': {},
    'a lite pull as a lite consumer asks': { fields: { sysFlag: 12, expressionType: '' } },
    'a lite pull of one message': { fields: { maxMsgNums: 1 } },
    'a lite pull from the end': { fields: { queueOffset: 3 } },
    'a lite pull from far behind the end': { fields: { queueOffset: 4_000 } },
    'a lite pull from below zero': { fields: { queueOffset: -3 } },
    'a lite pull of a queue that is none': { fields: { queueId: 9 } },
    'a lite pull of an unknown topic': { fields: { topic: '#nowhere' } },
    'a lite pull by an unknown group': { fields: { consumerGroup: '#lite-strangers' } },
    'a lite pull by tag': { fields: { subscription: 'B' } },
    'a lite pull without a subscription, by a group that nobody is in': {
      fields: { sysFlag: 0, consumerGroup: '#nobody' },
    },
  },
)

const querying: Asking = {
  code: 12,
  fields: { topic: '#topic', key: 'k1', maxNum: 10, beginTimestamp: 0, endTimestamp: 4_000_000_000_000 },
  tell: ({ body }) => told(body),
}

const queries: readonly Step[] = [
  ...variants(querying, {
    'a query by key': {},
    'a query by the second of two keys': { fields: { key: 'k2' } },
    'a query by unique key': { fields: { key: 'U1', _UNIQUE_KEY_QUERY: true } },
    'a query for one of three': { fields: { maxNum: 1 } },
    'a query by a key that none has': { fields: { key: 'nobody' } },
    'a query in another time': { fields: { endTimestamp: 1 } },
    'a query in an unknown topic': { fields: { topic: '#nowhere' } },
  }),
  ...variants(
    { code: 33 },
    {
      'a view behind the end of the log': { fields: { offset: '99999999999' } },
      'a view below zero': { fields: { offset: -1 } },
    },
  ),
]

export const reads: readonly Step[] = [...pulls, ...litePulls, ...bars, ...consumers, ...clones, ...queries]
