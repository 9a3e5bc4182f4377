/** Messages that are given back, popped and locked. */
import { pullFields } from './pulls.ts'
import { told, recordsIn } from './records.ts'
import { asking, type Asking, type Place, type Step, variants } from './steps.ts'

/** Until `holds` says something, at most 20 s; what it said. */
function waiting(name: string, look: (place: Place) => Promise<string | undefined>): Step {
  return {
    name,
    waits: true,
    async run(place) {
      for (let times = 0; times < 80; times++) {
        const said = await look(place)
        if (said !== undefined) return said
        await new Promise((resolve) => setTimeout(resolve, 250))
      }
      return 'not within 20 s'
    },
  }
}

/** Messages in queue 0 of the topic, once there are so many. */
function arrived(name: string, topic: string, count: number): Step {
  return waiting(name, async (place) => {
    let text: string | undefined
    const step = asking(name, {
      code: 11,
      fields: { ...pullFields, topic },
      tell: ({ body }) => {
        const records = recordsIn(body)
        if (records.length >= count) {
          const lines = records.map(
            (one) => `${one.body} ${one.reconsumeTimes} ${[...one.properties.keys()].toSorted().join(',')}`,
          )
          text = lines.toSorted().join('; ')
        }
        return ''
      },
    })
    await step.run(place)
    return text
  })
}

const back: Asking = {
  code: 36,
  fields: { group: '#group', offset: '$back', delayLevel: 1, originTopic: '#topic', unitMode: false },
}

const backs: readonly Step[] = [
  asking('a message to give back is found', {
    code: 11,
    fields: { ...pullFields, topic: '#topic', maxMsgNums: 1 },
    tell: ({ body }, { notes }) => {
      notes.set('back', String(recordsIn(body)[0]?.offset))
      return told(body)
    },
  }),
  ...variants(back, {
    'a message is given back': {},
    'a message is given back to the dead letters': { fields: { delayLevel: -1 } },
    'a message is given back too often': { fields: { maxReconsumeTimes: 0 } },
    'a message is given back by a group that is not retried': { fields: { group: '#unretried' } },
    'a message that is none is given back': { fields: { offset: '99999999999' } },
    'a message below zero is given back': { fields: { offset: -1 } },
    'a message is given back by a group with an illegal name': { fields: { group: 'a b' } },
  }),
  arrived('what was given back comes again', '%RETRY%#group', 1),
  arrived('what was given back to the dead letters is there', '%DLQ%#group', 2),
  arrived('delayed messages come, and those that were not', '#delayed', 5),
]

const popping: Asking = {
  code: 200_050,
  fields: {
    consumerGroup: '#poppers',
    topic: '#topic',
    queueId: 0,
    maxMsgNums: 2,
    invisibleTime: 60_000,
    pollTime: 0,
    bornTime: '$now',
    initMode: 0,
    expType: 'TAG',
    exp: '*',
  },
  show: ['restNum', 'invisibleTime', 'startOffsetInfo', 'msgOffsetInfo'],
  tell: (answer, { notes }) => {
    const { popTime, invisibleTime, reviveQid } = answer.extFields ?? {}
    notes.set('pop', `0 ${popTime} ${invisibleTime} ${reviveQid} 0 broker-a 0`)
    return told(answer.body)
  },
}
const acking: Asking = {
  code: 200_051,
  fields: { consumerGroup: '#poppers', topic: '#topic', queueId: 0, offset: 0, extraInfo: '$receipt 0' },
}

const pops: readonly Step[] = [
  asking('a group of poppers is created', { code: 200, body: '{"groupName":"#poppers"}' }),
  ...variants(popping, { 'a pop of two': {} }),
  {
    name: 'the receipt of the pop',
    run({ notes }) {
      notes.set('receipt', notes.get('pop') ?? '')
      return Promise.resolve(`${notes.get('receipt')?.split(' ').length} parts`)
    },
  },
  ...variants(acking, {
    'an acknowledgement': {},
    'the same acknowledgement again': {},
    'an acknowledgement in an unknown topic': { fields: { topic: '#nowhere' } },
    'an acknowledgement in a queue that is none': { fields: { queueId: 9 } },
    'an acknowledgement of an offset behind the end': { fields: { offset: 99 } },
    'an acknowledgement by a receipt that is none': { fields: { extraInfo: 'nonsense' } },
    'an acknowledgement by a receipt of too few parts': { fields: { extraInfo: '0 1' } },
    'an acknowledgement by an unknown group': { fields: { consumerGroup: '#strangers' } },
  }),
  ...variants(
    {
      code: 200_053,
      fields: {
        consumerGroup: '#poppers',
        topic: '#topic',
        queueId: 0,
        offset: 1,
        extraInfo: '$receipt 1',
        invisibleTime: 30_000,
      },
      show: ['invisibleTime'],
    },
    {
      'a longer time out of sight': {},
      'a longer time out of sight in a queue that is none': { fields: { queueId: 9 }, show: [] },
      'a longer time out of sight by a receipt that is none': { fields: { extraInfo: 'nonsense' }, show: [] },
    },
  ),
  ...variants(popping, {
    'a pop of the rest': { show: ['restNum'] },
    'a pop of an empty queue': { fields: { topic: '#empty' }, show: ['restNum'] },
    'a pop of an unknown topic': { fields: { topic: '#nowhere' }, show: [] },
    'a pop of a queue that is none': { fields: { queueId: 9 }, show: [] },
    'a pop of too many': { fields: { maxMsgNums: 33 }, show: [] },
    'a pop by bad SQL': { fields: { expType: 'SQL92', exp: 'a >' }, show: [] },
    'a pop by a group with an illegal name': { fields: { consumerGroup: 'a b' }, show: [] },
  }),
  asking('a batch of no acknowledgements', { code: 200_151, body: '{"brokerName":"broker-a","acks":[]}' }),
  asking('a batch of acknowledgements that is no JSON', { code: 200_151, body: '{' }),
  asking('a batch of acknowledgements without a body', { code: 200_151 }),
  ...variants(
    {
      code: 200_054,
      fields: { consumerGroup: '#unretried', topic: '#topic', queueId: 0, pollTime: 0, bornTime: '$now' },
      show: ['hasMsg'],
    },
    {
      'a notification where something is': {},
      'a notification where nothing is': { fields: { topic: '#empty' } },
      'a notification of any queue': { fields: { queueId: -1 } },
      'a notification of an unknown topic': { fields: { topic: '#nowhere' }, show: [] },
      'a notification of a queue that is none': { fields: { queueId: 9 }, show: [] },
    },
  ),
]

const queues = (clientId: string): string =>
  JSON.stringify({
    clientId,
    consumerGroup: '#group',
    mqSet: [0, 1].map((queueId) => ({ topic: '#topic', brokerName: 'broker-a', queueId })),
  })

const locks: readonly Step[] = variants(
  { code: 41, tell: ({ body }) => `held=${body.toString().split('queueId').length - 1}` },
  {
    'two queues are locked': { body: queues('one') },
    'another client wants them': { body: queues('two') },
    'the first locks them again': { body: queues('one') },
    'the first gives them back': { code: 42, body: queues('one') },
    'the other gets them': { body: queues('two') },
  },
)

const administration: readonly Step[] = [
  asking('the members of a group that nobody is in', { code: 38, fields: { consumerGroup: '#nobody' } }),
  asking('the configuration of an unknown topic', { code: 351, fields: { topic: '#nowhere' } }),
  asking('the configuration of an unknown group', { code: 352, fields: { group: '#strangers' } }),
  asking('an unknown topic is deleted', { code: 215, fields: { topic: '#nowhere' } }),
  asking('a topic without a name is deleted', { code: 215 }),
  asking('an unknown group is deleted', { code: 207, fields: { groupName: '#strangers' } }),
  asking('a heartbeat that is none', { code: 34, body: '{' }),
  asking('a request that nobody knows', { code: 9_999 }),
]

const peeking = { consumerGroup: '#unretried', topic: '#topic', queueId: 0, maxMsgNums: 1, pollTime: 0, bornTime: 0 }

const others: readonly Step[] = [
  asking('a peek at an unknown topic', { code: 200_052, fields: { ...peeking, topic: '#nowhere' } }),
  asking('a peek at a queue that is none', { code: 200_052, fields: { ...peeking, queueId: 9 } }),
  asking('an assignment without a body', { code: 400 }),
  asking('an end of a transaction that never was', {
    code: 37,
    fields: {
      producerGroup: 'differential',
      topic: '#topic',
      tranStateTableOffset: 0,
      commitLogOffset: 999_999_999,
      commitOrRollback: 8,
      fromTransactionCheck: false,
      msgId: 'none',
      transactionId: 'none',
    },
  }),
  asking('a recall by what is no handle', {
    code: 370,
    fields: { producerGroup: 'differential', topic: '#topic', recallHandle: 'none' },
  }),
  asking('a recall in an unknown topic', {
    code: 370,
    fields: { producerGroup: 'differential', topic: '#nowhere', recallHandle: 'none' },
  }),
  asking('offsets of an unknown topic are reset', {
    code: 222,
    fields: { group: '#group', topic: '#nowhere', timestamp: -1, isForce: true },
  }),
  asking('offsets of a queue that is none are reset', {
    code: 222,
    fields: { group: '#group', topic: '#topic', timestamp: 0, isForce: true, queueId: 9, offset: 0 },
  }),
  asking('a client leaves that never came', {
    code: 35,
    fields: { clientID: 'nobody', producerGroup: '#nobody', consumerGroup: '#nobody' },
  }),
]

export const consumers: readonly Step[] = [...backs, ...pops, ...locks, ...others, ...administration]
