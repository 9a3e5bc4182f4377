/** Where RaftMQ deliberately does something else than a stock broker: by the name of the step. */

export interface Difference {
  /** The words of `docs/compatibility.md` that say so. */
  readonly documented: string
  readonly stock: string
  readonly here: string
}

const nowhere = 'queueId=- queueOffset=- transactionId=-'
const unreadable = 'an expression that cannot be read is refused with code 23 also when it comes with a pull'
const passed = 'code=0 nextBeginOffset=3 minOffset=0 maxOffset=3 messages=[one@0 two@1 three@2]'
const refused = 'code=23 nextBeginOffset=- minOffset=- maxOffset=- messages=[]'
/** A message as its transaction leaves it. */
const ended = (text: string): string => `${text} CLUSTER,MSG_REGION,PGROUP,TRACE_ON,TRAN_MSG,UNIQ_KEY,__transactionId__`

export const differences: Readonly<Record<string, Difference>> = {
  'a send to a topic that can only be read': {
    documented: 'A topic without write permission takes no sends (code 16)',
    stock: 'code=0 queueId=0 queueOffset=0 transactionId=U1',
    here: `code=16 ${nowhere}`,
  },
  'a send without a default topic': {
    documented: 'A field that RocketMQ’s headers call not null and that is missing',
    stock: 'code=0 queueId=0 queueOffset=1 transactionId=U1',
    here: `code=1 ${nowhere}`,
  },
  'a negative number of redeliveries': {
    documented: 'A send with a negative `reconsumeTimes` is refused (code 29)',
    stock: 'code=0 queueId=0 queueOffset=0 transactionId=U1',
    here: `code=29 ${nowhere}`,
  },
  'a timer of four days': {
    documented: 'Up to 366 days (`timerMaxDelaySec`; RocketMQ: 3 days)',
    stock: `code=13 ${nowhere}`,
    here: 'code=0 queueId=0 queueOffset=1 transactionId=M3',
  },
  'a batch of none': {
    documented: 'A batch that cannot be read, or holds nothing, is refused with code 13',
    stock: `code=1 ${nowhere}`,
    here: `code=13 ${nowhere}`,
  },
  'a batch that ends in the middle': {
    documented: 'A batch that cannot be read, or holds nothing, is refused with code 13',
    stock: `code=1 ${nowhere}`,
    here: `code=13 ${nowhere}`,
  },
  'a pull by bad SQL': { documented: unreadable, stock: passed, here: refused },
  'a pull by an unknown kind of filter': { documented: unreadable, stock: passed, here: refused },
  'the configuration of an unknown group': {
    documented: 'Asking for the configuration of a group (352) does not make it',
    stock: 'code=0',
    here: 'code=26',
  },
  'offsets of a queue that is none are reset': {
    documented: 'A queue that the topic has not is refused (code 1)',
    here: 'code=1',
    stock: 'code=0',
  },
  'an end that ends nothing': {
    documented: 'A 37 of a state that ends nothing is answered with success, where RocketMQ keeps silent',
    stock: 'failed: Error: the broker did not answer 37 within 5 s',
    here: 'code=0',
  },
  'what the transactions left': {
    documented: 'A repeated end is answered with success and stores nothing; RocketMQ stores the message once more',
    stock: `code=0 ${['guarded@0', 'committed@1', 'committed@2', 'revoked@3'].map(ended).join('; ')}`,
    here: `code=0 ${['guarded@0', 'committed@1'].map(ended).join('; ')}`,
  },
  'offsets are cloned to a group with an illegal name': {
    documented: 'Offsets are not cloned to a group with an illegal name (314, code 26)',
    stock: 'code=0',
    here: 'code=26',
  },
  'an offset that was cloned in all topics': {
    documented: '314 without a topic clones the offsets of all topics; RocketMQ’s clones none',
    stock: 'code=22 offset=-',
    here: 'code=0 offset=2',
  },
  'a group is to do what is none': {
    documented: 'A mode that is neither PULL nor POP is refused (401, code 29)',
    stock: 'code=0',
    here: 'code=29',
  },
  'a reply in a topic that can only be read': {
    documented: 'A topic without write permission takes no sends (code 16)',
    stock: 'code=1',
    here: 'code=16',
  },
}
