/** Queues that the broker shares out, how a group asks for messages, and pops that wait. */
import { ask } from '../support/ask.ts'
import { parseJson } from '../support/json.ts'
import type { SeenFrame } from '../tools/frames.ts'
import { asking, type Asking, type Place, type Step, variants } from './steps.ts'

interface Assigned {
  readonly messageQueueAssignments?: readonly {
    readonly mode: string
    readonly messageQueue: { readonly brokerName: string; readonly queueId: number }
  }[]
}

const assigned = ({ body }: SeenFrame): string =>
  body.length === 0
    ? 'no body'
    : (parseJson<Assigned>(body.toString())
        .messageQueueAssignments?.map(({ mode, messageQueue }) => `${messageQueue.queueId} ${mode}`)
        .toSorted()
        .join(', ') ?? 'nothing said')

interface Question {
  readonly topic?: string
  readonly consumerGroup?: string
  readonly clientId?: string
  readonly strategyName?: string
  readonly messageModel?: string
}

const question = (changes: Question = {}): { readonly body: string } => ({
  body: JSON.stringify({
    topic: '#topic',
    consumerGroup: '#shared',
    clientId: '$member',
    strategyName: 'AVG',
    messageModel: 'CLUSTERING',
    ...changes,
  }),
})
const sharing: Asking = { code: 400, tell: assigned, ...question() }

const mode = (changes: Readonly<Record<string, string | number>> = {}): { readonly body: string } => ({
  body: JSON.stringify({ topic: '#topic', consumerGroup: '#shared', mode: 'POP', popShareQueueNum: 0, ...changes }),
})

/** A stock client in the group, which the broker knows by then. */
const joins: Step = {
  name: 'a client joins a group whose queues are shared out',
  async run(place: Place) {
    const [group, topic] = [place.name('shared'), place.name('topic')]
    await place.driver.call('push', { id: 'sharer', group, topic, instance: 'sharer' })
    for (let times = 0; times < 40; times++) {
      const { body } = await ask(place.address, 38, { consumerGroup: group })
      const [id] = body.length === 0 ? [] : parseJson<{ consumerIdList: string[] }>(body.toString()).consumerIdList
      if (id !== undefined) {
        place.notes.set('member', id)
        return 'it is there'
      }
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    return 'not within 10 s'
  },
}

const leaves: Step = {
  name: 'the client leaves',
  async run({ driver }) {
    await driver.call('close', { id: 'sharer' })
    return 'it is gone'
  },
}

const sharings: readonly Step[] = [
  asking('a group whose queues are shared out is created', { code: 200, body: '{"groupName":"#shared"}' }),
  joins,
  ...variants(sharing, {
    'all queues for the only member': {},
    'the queues by circle': question({ strategyName: 'AVG_BY_CIRCLE' }),
    'the queues by a strategy that is none': question({ strategyName: 'BY_MOON' }),
    'the queues of one that is no member': question({ clientId: 'stranger' }),
    'the queues of a group without members': question({ consumerGroup: '#nobody' }),
    'the queues of an unknown topic': question({ topic: '#nowhere' }),
    'the queues of a retry topic that is not there': question({ topic: '%RETRY%#nobody' }),
    'the queues for broadcast': question({ messageModel: 'BROADCASTING' }),
    'the queues for broadcast of an unknown topic': question({ messageModel: 'BROADCASTING', topic: '#nowhere' }),
    'an assignment for nobody': { body: '{}' },
    'an assignment by what is no JSON': { body: '{' },
  }),
  ...variants(
    { code: 401 },
    {
      'a group is to pop': mode(),
      'a group is to pop an unknown topic': mode({ topic: '#nowhere' }),
      'an unknown group is to pop': mode({ consumerGroup: '#outsiders' }),
      'a group is to pop its retry topic': mode({ topic: '%RETRY%#shared' }),
      'a group is to do what is none': mode({ topic: '#empty', mode: 'PRAY' }),
      'a mode without a body': {},
    },
  ),
  ...variants(sharing, {
    'the queues of a group that pops': {},
    'the queues of one that is no member and pops': question({ clientId: 'stranger' }),
  }),
  ...variants({ code: 401 }, { 'a group is to pop and to share three queues': mode({ popShareQueueNum: 3 }) }),
  ...variants(sharing, { 'the queues of a group that pops and shares': {} }),
  ...variants({ code: 401 }, { 'a group is to pull': mode({ mode: 'PULL' }) }),
  ...variants(sharing, { 'the queues of a group that pulls again': {} }),
  leaves,
]

const pollings: readonly Step[] = [
  ...variants(
    { code: 200_055, fields: { consumerGroup: '#poppers', topic: '#empty', queueId: 0 }, show: ['pollingNum'] },
    {
      'how many pops wait where none does': {},
      'how many pops wait in an unknown topic': { fields: { topic: '#nowhere' }, show: [] },
      'how many pops wait in a queue that is none': { fields: { queueId: 9 }, show: [] },
      'how many pops of an unknown group wait': { fields: { consumerGroup: '#outsiders' } },
    },
  ),
  {
    name: 'how many pops wait where one does',
    async run(place) {
      const { address } = place
      const about = { consumerGroup: place.name('poppers'), topic: place.name('empty'), queueId: '0' }
      const time = { invisibleTime: '60000', pollTime: '2000', bornTime: String(Date.now()), initMode: '0' }
      const waiting = ask(address, 200_050, { ...about, ...time, maxMsgNums: '1', expType: 'TAG', exp: '*' })
      await new Promise((resolve) => setTimeout(resolve, 500))
      const { code, extFields } = await ask(address, 200_055, about)
      const popped = await waiting
      return `code=${code} pollingNum=${extFields?.['pollingNum']}; then ${popped.code}`
    },
  },
]

export const assignments: readonly Step[] = [...sharings, ...pollings]
