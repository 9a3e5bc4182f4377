/** Halves, and every way in which somebody may end them. */
import type { SeenFrame } from '../tools/frames.ts'
import { pullFields } from './pulls.ts'
import { recordsIn } from './records.ts'
import { sendFields } from './sends.ts'
import { asking, type Asking, type Place, type Step, variants } from './steps.ts'

const properties = (id: string): string =>
  `UNIQ_KEY\u0001${id}\u0002TRAN_MSG\u0001true\u0002PGROUP\u0001differential\u0002`

/** Remembers where the half lies, as a producer learns it: `$NAME-log` and `$NAME-queue`. */
function half(name: string): Step {
  return asking(`a half ${name}`, {
    code: 10,
    fields: { ...sendFields, topic: '#transacted', sysFlag: 4, properties: properties(name) },
    body: name,
    show: ['queueId', 'transactionId'],
    tell: ({ extFields }: SeenFrame, { notes }: Place) => {
      notes.set(`${name}-log`, String(BigInt(`0x${extFields?.['msgId']?.slice(-16) ?? 0}`)))
      notes.set(`${name}-queue`, extFields?.['queueOffset'] ?? '')
      return ''
    },
  })
}

const COMMIT = 8
const ROLLBACK = 12

function ending(name: string, commitOrRollback: number): Asking {
  return {
    code: 37,
    fields: {
      producerGroup: 'differential',
      topic: '#transacted',
      tranStateTableOffset: `$${name}-queue`,
      commitLogOffset: `$${name}-log`,
      commitOrRollback,
      fromTransactionCheck: false,
      msgId: name,
      transactionId: name,
    },
  }
}

/** Before any end, so that their places in the queue of halves are the same on both sides. */
export const halves: readonly Step[] = [
  asking('a topic for transactions is created', {
    code: 17,
    fields: {
      topic: '#transacted',
      defaultTopic: 'TBW102',
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    },
  }),
  ...['committed', 'revoked', 'guarded', 'pending'].map(half),
]

export const ends: readonly Step[] = [
  ...variants(ending('guarded', COMMIT), {
    'an end by another group': { fields: { producerGroup: 'strangers' } },
    'an end by the place of another half': { fields: { tranStateTableOffset: '$committed-queue' } },
    'an end by an offset behind the log': { fields: { commitLogOffset: '$guarded-log0' } },
    'an end by the offset of another message': { fields: { commitLogOffset: 0 } },
    'an end by an offset below zero': { fields: { commitLogOffset: -1 } },
    'an end without an offset': { fields: { commitLogOffset: '' } },
    'an end by a message id that is another’s': { fields: { msgId: 'another', transactionId: 'another' } },
  }),
  ...variants(ending('committed', COMMIT), { 'a commit of a half': {}, 'the same commit again': {} }),
  ...variants(ending('committed', ROLLBACK), { 'a rollback after the commit': {} }),
  ...variants(ending('revoked', ROLLBACK), { 'a rollback of a half': {}, 'the same rollback again': {} }),
  ...variants(ending('revoked', COMMIT), { 'a commit after the rollback': {} }),
  ...variants(ending('pending', 0), {
    'an end that ends nothing': {},
    'an end of a state that is none': { fields: { commitOrRollback: 5 } },
  }),
  asking('what the transactions left', {
    code: 11,
    fields: { ...pullFields, topic: '#transacted' },
    tell: ({ body }) =>
      recordsIn(body)
        .map((one) => `${one.body}@${one.queueOffset} ${[...one.properties.keys()].toSorted().join(',')}`)
        .join('; '),
  }),
]
