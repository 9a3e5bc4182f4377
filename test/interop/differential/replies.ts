/** Replies to requests, by hand: to clients that are there, and to those that are not. */
import { ask } from '../support/ask.ts'
import { parseJson } from '../support/json.ts'
import { sendFields, shortened } from './sends.ts'
import { type Asking, type Step, variants } from './steps.ts'

const to = (client: string): string =>
  `REPLY_TO_CLIENT\u0001${client}\u0002CORRELATION_ID\u0001none\u0002MSG_TYPE\u0001reply\u0002`

const fields = { ...sendFields, topic: '#replies', properties: to('nobody') }
const replying: Asking = { code: 324, fields, body: 'reply', show: ['queueId', 'queueOffset'] }

const requester: Step = {
  name: 'a client that could ask starts',
  async run(place) {
    const { address, driver, notes } = place
    const group = place.name('requesters')
    await driver.call('producer', { id: 'requester', group })
    for (let times = 0; times < 40; times++) {
      // A producer tells the brokers of its group with its first heartbeat.
      await driver.send('requester', { topic: place.name('replies'), body: 'first', shards: 1 }).catch(() => undefined)
      const { code, body } = await ask(address, 204, { producerGroup: group })
      if (code === 0) {
        const [connection] = parseJson<{ connectionSet: { clientId: string }[] }>(body.toString()).connectionSet
        notes.set('requester', connection?.clientId ?? '')
        return 'it is there'
      }
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    return 'not within 10 s'
  },
}

export const replies: readonly Step[] = [
  ...variants(
    { code: 17 },
    {
      'a topic for replies is created': {
        fields: {
          topic: '#replies',
          defaultTopic: 'TBW102',
          readQueueNums: 1,
          writeQueueNums: 1,
          perm: 6,
          topicFilterType: 'SINGLE_TAG',
          topicSysFlag: 0,
          order: false,
        },
      },
    },
  ),
  requester,
  ...variants(
    { ...replying, show: ['queueId'] },
    {
      'a reply': { fields: { properties: to('$requester') } },
      'a reply to any queue': { fields: { properties: to('$requester'), queueId: -1 } },
      'a reply in the short form': { code: 325, fields: shortened({ ...fields, properties: to('$requester') }) },
    },
  ),
  ...variants(
    { ...replying, show: [] },
    {
      'a reply to nobody': {},
      'a reply without whom it is for': { fields: { properties: 'UNIQ_KEY\u0001R1\u0002' } },
      'a reply to a queue that is none': { fields: { queueId: 9 } },
      'a reply in a topic that is made for it': { fields: { topic: '#replied' } },
      'a reply in a topic that nobody may make': { fields: { topic: '#unmade', defaultTopic: 'NoSuch' } },
      'a reply in a topic with an illegal name': { fields: { topic: 'a b' } },
      'a reply in a topic that can only be read': { fields: { topic: '#readable' } },
      'a reply in the schedule topic': { fields: { topic: 'SCHEDULE_TOPIC_XXXX' } },
    },
  ),
  ...variants({ ...replying, show: [], code: 325, fields: {} }, { 'a reply in the short form without its topic': {} }),
]
