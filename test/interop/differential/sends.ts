/** Sends: where messages come to lie, and what is refused. */
import { asking, type Asking, type Step, variants } from './steps.ts'

export const sendFields = {
  producerGroup: 'differential',
  topic: '#topic',
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  queueId: 0,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  flag: 0,
  properties: 'KEYS\u0001k1 k2\u0002TAGS\u0001A\u0002UNIQ_KEY\u0001U1\u0002',
  reconsumeTimes: 0,
  unitMode: false,
  batch: false,
}

const place = ['queueId', 'queueOffset', 'transactionId']
const sending: Asking = { code: 10, fields: sendFields, body: 'one', show: place }

const topicFields = {
  defaultTopic: 'TBW102',
  readQueueNums: 2,
  writeQueueNums: 2,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
}

export const creations: readonly Step[] = [
  ...variants(
    { code: 17, fields: topicFields },
    {
      'a topic is created': { fields: { topic: '#topic' } },
      'a topic of one queue is created': { fields: { topic: '#client', readQueueNums: 1, writeQueueNums: 1 } },
      'a topic of one queue for another client is created': {
        fields: { topic: '#own', readQueueNums: 1, writeQueueNums: 1 },
      },
      'a topic that stays empty is created': { fields: { topic: '#empty' } },
      'a topic that can only be read is created': { fields: { topic: '#readable', perm: 4 } },
      'a topic that can only be written is created': { fields: { topic: '#writable', perm: 2 } },
      'a topic with a space in its name': { fields: { topic: 'a b' } },
      'a topic with a dollar in its name': { fields: { topic: 'a$' } },
      'a topic without a name': { fields: { topic: '' } },
      'a topic with a long name': { fields: { topic: 'x'.repeat(128) } },
      'a topic with too long a name': { fields: { topic: 'x'.repeat(256) } },
      'a system topic': { fields: { topic: 'TBW102' } },
      'a topic with an illegal message type': { fields: { topic: '#typed', attributes: '+message.type=WRONG' } },
      'a topic with an unknown attribute': { fields: { topic: '#typed', attributes: '+no.such=1' } },
    },
  ),
  ...variants(
    { code: 200 },
    {
      'a group is created': { body: '{"groupName":"#group"}' },
      'a group that is not retried is created': { body: '{"groupName":"#unretried","retryQueueNums":0}' },
      'a group with a space in its name': { body: '{"groupName":"a b"}' },
      'a group without a name': { body: '{"groupName":""}' },
    },
  ),
]

const delayed = (properties: string): Partial<Asking> => ({ fields: { topic: '#delayed', properties } })

export const sends: readonly Step[] = [
  ...variants(sending, {
    'a send': {},
    'a second send to the same queue': {
      body: 'two',
      fields: { properties: 'TAGS\u0001B\u0002UNIQ_KEY\u0001U2\u0002' },
    },
    'a send with the properties of the first': { body: 'three' },
    'a send to the other queue': { body: 'other', fields: { queueId: 1 } },
    'a send without properties': {
      body: 'bare',
      fields: { queueId: 1, properties: '' },
      show: ['queueId', 'queueOffset'],
    },
    'a send with a flag': { body: 'flagged', fields: { queueId: 1, flag: -7 } },
    'a send that claims to be a step of a transaction': { body: 'claims', fields: { queueId: 1, sysFlag: 8 } },
    'a send to a queue that is none': { fields: { queueId: 9 } },
    'a send to any queue': { fields: { topic: '#any', queueId: -1 }, show: [] },
    'a send to a topic that is made for it': { fields: { topic: '#made' } },
    'a send to a topic that nobody may make': { fields: { topic: '#unmade', defaultTopic: 'NoSuch' } },
    'a send to a topic with an illegal name': { fields: { topic: 'a b' } },
    'a send to TBW102': { fields: { topic: 'TBW102' } },
    'a send to the schedule topic': { fields: { topic: 'SCHEDULE_TOPIC_XXXX' } },
    'a send to the topic of halves': { fields: { topic: 'RMQ_SYS_TRANS_HALF_TOPIC' } },
    'a send to a topic that can only be read': { fields: { topic: '#readable' } },
    'a send to a topic that can only be written': { fields: { topic: '#writable' } },
    'a body of 4 MiB': { fields: { topic: '#large' }, body: Buffer.alloc(4 << 20, 'x') },
    'a body over 4 MiB': { fields: { topic: '#large' }, body: Buffer.alloc((4 << 20) + 1, 'x') },
    'properties over 32 KiB': { fields: { properties: `a\u0001${'x'.repeat(33_000)}\u0002` } },
    'a send without a topic': { fields: { topic: '' } },
    'a send without a default topic': { fields: { topic: '#made' }, leave: ['defaultTopic'] },
    'a send of what is no time': { fields: { bornTimestamp: 'x' } },
    'a queue that is no number': { fields: { queueId: 'x' } },
    'a negative number of redeliveries': { fields: { topic: '#forged', reconsumeTimes: -5 } },
    'an enormous number of redeliveries': { fields: { topic: '#enormous', reconsumeTimes: 2_147_483_647 } },
    'an enormous number of redeliveries to the retry topic': {
      fields: { topic: '%RETRY%#group', reconsumeTimes: 2_147_483_647 },
      show: [],
    },
  }),
  ...variants(sending, {
    'a delay of level 1': delayed('DELAY\u00011\u0002UNIQ_KEY\u0001D1\u0002'),
    'a delay of level 0': delayed('DELAY\u00010\u0002UNIQ_KEY\u0001D2\u0002'),
    'a delay of a negative level': delayed('DELAY\u0001-1\u0002UNIQ_KEY\u0001D3\u0002'),
    'a delay of a level that is none': delayed('DELAY\u000199\u0002UNIQ_KEY\u0001D4\u0002'),
    'a delay of a level that is no number': delayed('DELAY\u0001NaN\u0002UNIQ_KEY\u0001D5\u0002'),
    'a delay of a level over 32 bits': delayed('DELAY\u00012147483648\u0002UNIQ_KEY\u0001D6\u0002'),
    'a timer of a second': delayed('TIMER_DELAY_MS\u00011000\u0002UNIQ_KEY\u0001M1\u0002'),
    'a timer in the past': delayed('TIMER_DELIVER_MS\u00011000\u0002UNIQ_KEY\u0001M2\u0002'),
    'a timer of four days': delayed(`TIMER_DELAY_SEC\u0001${4 * 86_400}\u0002UNIQ_KEY\u0001M3\u0002`),
    'a timer of two years': delayed(`TIMER_DELAY_SEC\u0001${2 * 365 * 86_400}\u0002UNIQ_KEY\u0001M4\u0002`),
    'a timer that is no number': delayed('TIMER_DELAY_MS\u0001soon\u0002UNIQ_KEY\u0001M5\u0002'),
  }),
  ...variants(
    { code: 320, fields: shortened({ ...sendFields, topic: '#batch', batch: true }), show: place },
    {
      'a batch of three': { body: batchOf(['b1', 'b2', 'b3']), tell: idsIn },
      'a batch of one': { body: batchOf(['b4']), tell: idsIn },
      'a batch of none': { body: Buffer.alloc(0) },
      'a batch that ends in the middle': { body: batchOf(['b5', 'b6']).subarray(0, -5) },
      'a batch to a retry topic': { body: batchOf(['b7']), fields: { b: '%RETRY%#group' }, show: [] },
    },
  ),
  asking('a send in the short form without its topic', { code: 310, fields: { a: 'differential', e: 0 } }),
]

function idsIn(answer: { readonly extFields: Readonly<Record<string, string>> | null }): string {
  return `ids=${(answer.extFields?.['msgId'] ?? '').split(',').length}`
}

/** The names of SendMessageRequestHeaderV2, in the order of the long ones. */
export function shortened(fields: Readonly<Record<string, string | number | boolean>>) {
  const names = 'abcdefghijkm'
  return Object.fromEntries(Object.values(fields).map((value, at) => [names[at] ?? '', value]))
}

/** As MessageDecoder.encodeMessages writes it. */
function batchOf(bodies: readonly string[]): Buffer {
  return Buffer.concat(
    bodies.map((text) => {
      const properties = Buffer.from(`UNIQ_KEY\u0001${text}\u0002`)
      const body = Buffer.from(text)
      const one = Buffer.alloc(22 + body.length + properties.length)
      one.writeInt32BE(one.length, 0)
      one.writeInt32BE(body.length, 16)
      body.copy(one, 20)
      one.writeInt16BE(properties.length, 20 + body.length)
      properties.copy(one, 22 + body.length)
      return one
    }),
  )
}
