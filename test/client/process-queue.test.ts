import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { ProcessQueue } from '../../src/client/consumer/process-queue.ts'

interface Message {
  readonly queueOffset: number
  readonly bytes: number
}

/** The same thing without any cleverness: every message ever seen, with its state. */
class NaiveQueue {
  readonly messages: { queueOffset: number; bytes: number; state: 'waiting' | 'inHand' | 'settled' }[] = []
  pulledTo: number
  constructor(start: number) {
    this.pulledTo = start
  }
  get open(): typeof this.messages {
    return this.messages.filter((message) => message.state !== 'settled')
  }
  get span(): number {
    const first = this.messages.findIndex(({ state }) => state !== 'settled')
    return first < 0 ? 0 : this.messages.length - first
  }
  get commitOffset(): number {
    return this.open[0]?.queueOffset ?? this.pulledTo
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('arrive' as const), gaps: fc.array(fc.nat(3), { maxLength: 40 }), tail: fc.nat(3) }),
  fc.record({ kind: fc.constant('take' as const), times: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('settleAll' as const) }),
  fc.record({ kind: fc.constant('release' as const), which: fc.nat() }),
)

describe('ProcessQueue', () => {
  test.prop([fc.nat(1_000), fc.array(step, { maxLength: 60 })], { numRuns: 300 })(
    'agrees with a naive model in what it hands out, holds and commits',
    (start, steps) => {
      const queue = new ProcessQueue<Message>(start, { maxMessages: 20, maxBytes: 1_000, maxSpan: 60 })
      const model = new NaiveQueue(start)
      const hand: { place: number; message: Message }[] = []
      let committed = start
      for (const action of steps) {
        if (action.kind === 'arrive') {
          const messages: Message[] = []
          let offset = model.pulledTo
          for (const gap of action.gaps) {
            offset += gap
            messages.push({ queueOffset: offset, bytes: 10 + gap })
            offset += 1
          }
          queue.arrived(messages, offset + action.tail)
          for (const message of messages) model.messages.push({ ...message, state: 'waiting' })
          model.pulledTo = offset + action.tail
        } else if (action.kind === 'take') {
          for (let n = 0; n < action.times; n++) {
            const taken = queue.take()
            const expected = model.messages.find((message) => message.state === 'waiting')
            expect(taken?.message.queueOffset).toBe(expected?.queueOffset)
            if (taken === undefined || expected === undefined) break
            expected.state = 'inHand'
            hand.push(taken)
          }
        } else {
          const times = action.kind === 'settleAll' ? hand.length : 1
          for (let n = 0; n < times; n++) {
            const at = action.kind === 'settleAll' ? 0 : action.which % (hand.length || 1)
            const [taken] = hand.splice(at, 1)
            if (taken === undefined) break
            const row = model.messages.find((message) => message.queueOffset === taken.message.queueOffset)
            if (row === undefined) throw new Error('not in the model')
            row.state = action.kind === 'release' ? 'waiting' : 'settled'
            if (action.kind === 'release') queue.release(taken.place)
            else queue.settle(taken.place)
          }
        }
        const open = model.open
        expect(queue.size).toBe(open.length)
        expect(queue.waiting).toBe(open.filter((message) => message.state === 'waiting').length)
        expect(queue.bytes).toBe(open.reduce((sum, message) => sum + message.bytes, 0))
        expect(queue.commitOffset).toBe(model.commitOffset)
        expect(queue.commitOffset).toBeGreaterThanOrEqual(committed)
        expect(queue.hasRoom).toBe(open.length < 20 && queue.bytes < 1_000 && model.span < 60)
        expect(queue.span?.first).toBe(open[0]?.queueOffset)
        expect(queue.span?.last).toBe(open.at(-1)?.queueOffset)
        committed = queue.commitOffset
      }
    },
  )

  test('does not commit past a message that is still in hand', () => {
    const queue = new ProcessQueue<Message>(5, { maxMessages: 10, maxBytes: 100, maxSpan: 60 })
    queue.arrived(
      [5, 6, 7].map((queueOffset) => ({ queueOffset, bytes: 1 })),
      8,
    )
    const first = queue.take()
    const second = queue.take()
    if (first === undefined || second === undefined) throw new Error('nothing to take')
    queue.settle(second.place)
    expect(queue.commitOffset).toBe(5)
    queue.settle(first.place)
    expect(queue.commitOffset).toBe(7)
  })

  test('commits past messages that the broker filtered out', () => {
    const queue = new ProcessQueue<Message>(0, { maxMessages: 10, maxBytes: 100, maxSpan: 60 })
    queue.arrived([], 500)
    expect(queue.commitOffset).toBe(500)
  })

  test('settling twice is our bug and is caught', () => {
    const queue = new ProcessQueue<Message>(0, { maxMessages: 10, maxBytes: 100, maxSpan: 60 })
    queue.arrived(
      [
        { queueOffset: 0, bytes: 1 },
        { queueOffset: 1, bytes: 1 },
      ],
      2,
    )
    const taken = queue.take()
    if (taken === undefined) throw new Error('nothing to take')
    queue.settle(taken.place)
    expect(() => queue.settle(taken.place)).toThrow('settled twice')
  })
})
