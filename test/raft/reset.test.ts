/** The two ends of a reset: pieces in order, one at a time, and what happens when either end fails. */
import { describe, expect, test } from 'vitest'
import { raftErrors } from '../../src/raft/errors.ts'
import type { Append, ResetChunk, ResetReply } from '../../src/raft/message.ts'
import type { LogState, ResetMeta, ResetSource } from '../../src/raft/ports.ts'
import { ResetReceiver } from '../../src/raft/reset-receiver.ts'
import { ResetSender } from '../../src/raft/reset-sender.ts'

const membership = { index: 1, membership: { voters: ['a', 'b'], outgoing: [], learners: [] } }
const meta: ResetMeta = { start: { index: 9, term: 2 }, membership, byteLength: 10 }
const restored: LogState = { start: meta.start, runs: [], memberships: [membership] }

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve()
}

function chunk(position: number, change: Partial<ResetChunk> = {}): ResetChunk {
  return { type: 'resetChunk', from: 'a', to: 'b', term: 2, session: 1, reset: 1, meta, position, ...change }
}

const bytes = (from: number, to: number): Uint8Array => Uint8Array.from({ length: to - from }, (_, at) => from + at)

function receiver(failWith?: Error): { receiver: ResetReceiver; log: string[]; got: number[] } {
  const log: string[] = []
  const got: number[] = []
  return {
    log,
    got,
    receiver: new ResetReceiver({
      apply: async (_meta, chunks) => {
        got.length = 0
        for await (const each of chunks) got.push(...each)
        if (failWith !== undefined) throw failWith
        return restored
      },
      taken: (message, position) => log.push(`taken ${position} of reset ${message.reset}`),
      done: (state, last) => log.push(`done ${state.start.index} with the piece at ${last.position}`),
      refused: () => log.push('refused'),
      fatal: (error) => log.push(`fatal ${String(error)}`),
    }),
  }
}

describe('the receiver', () => {
  test('takes pieces in order, asks for the next when the store took one, and is done with the last', async () => {
    const { receiver: end, log, got } = receiver()
    end.take(chunk(0), [bytes(0, 4)])
    await settle()
    end.take(chunk(4), [bytes(4, 8)])
    await settle()
    expect(end.isActive).toBe(true)
    end.take(chunk(8), [bytes(8, 10)])
    await settle()
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(log).toEqual(['taken 4 of reset 1', 'taken 8 of reset 1', 'done 9 with the piece at 8'])
    expect(end.isActive).toBe(false)
  })

  test('says where it is to a piece that comes twice or too early', async () => {
    const { receiver: end, log, got } = receiver()
    end.take(chunk(0), [bytes(0, 4)])
    await settle()
    end.take(chunk(0), [bytes(0, 4)])
    end.take(chunk(8), [bytes(8, 10)])
    await settle()
    expect(log).toEqual(['taken 4 of reset 1', 'taken 4 of reset 1', 'taken 4 of reset 1'])
    expect(got).toEqual([0, 1, 2, 3])
  })

  test('asks for the beginning when it does not know the rest', () => {
    const { receiver: end, log } = receiver()
    end.take(chunk(4), [bytes(4, 8)])
    expect(log).toEqual(['taken 0 of reset 1'])
    expect(end.isActive).toBe(false)
  })

  test('gives up for another reset, whose first piece is taken once the store let go', async () => {
    const { receiver: end, log, got } = receiver()
    end.take(chunk(0), [bytes(0, 4)])
    await settle()
    end.take(chunk(0, { reset: 2 }), [bytes(0, 4)])
    await settle()
    expect(log).toEqual(['taken 4 of reset 1', 'refused'])
    end.take(chunk(0, { reset: 2 }), [bytes(0, 10)])
    await settle()
    expect(got).toHaveLength(10)
    expect(log.at(-1)).toBe('done 9 with the piece at 0')
  })

  test('gives up when its term is over, and when it is stopped', async () => {
    const { receiver: end, log } = receiver()
    end.take(chunk(0), [bytes(0, 4)])
    await settle()
    end.abortUnless(2)
    await settle()
    expect(end.isActive).toBe(true)
    end.abortUnless(3)
    await settle()
    expect(end.isActive).toBe(false)
    end.take(chunk(0), [bytes(0, 4)])
    await settle()
    end.stop()
    await settle()
    expect(log.filter((line) => line === 'refused')).toHaveLength(2)
  })

  test('gives up for an append of a later session of its leader, and not for one that was late', async () => {
    const { receiver: end, log } = receiver()
    const append: Append = {
      type: 'append',
      from: 'a',
      to: 'b',
      term: 2,
      session: 2,
      prevIndex: 9,
      prevTerm: 2,
      runs: [],
      memberships: [],
      commit: 9,
      durable: true,
    }
    end.take(chunk(0, { session: 2 }), [bytes(0, 4)])
    await settle()
    for (const late of [append, { ...append, session: 1 }, { ...append, from: 'c', session: 3 }]) end.overtakenBy(late)
    await settle()
    expect(end.isActive).toBe(true)
    end.overtakenBy({ ...append, session: 3 })
    await settle()
    expect([end.isActive, log.at(-1)]).toEqual([false, 'refused'])
  })

  test.each([
    ['bytes that are no state', 'RAFT_BAD_ENTRIES'],
    ['a disk that has no room for it', 'RAFT_LOG_FULL'],
  ] as const)('begins again after %s', async (_what, code) => {
    const bad = receiver(raftErrors.create(code, 'no'))
    bad.receiver.take(chunk(0), [bytes(0, 10)])
    await settle()
    expect(bad.log).toEqual(['refused'])
  })

  test('ends the node when the store fails otherwise', async () => {
    const broken = receiver(new Error('disk'))
    broken.receiver.take(chunk(0), [bytes(0, 10)])
    await settle()
    expect(broken.log).toEqual(['fatal Error: disk'])
  })
})

function sender(sources: readonly (ResetSource | Error)[]): {
  sender: ResetSender
  sent: number[]
  failed: string[]
  go: { on: boolean }
} {
  const sent: number[] = []
  const failed: string[] = []
  const go = { on: true }
  let opened = 0
  return {
    sent,
    failed,
    go,
    sender: new ResetSender({
      peer: 'b',
      session: 1,
      reset: 1,
      chunkBytes: 4,
      repeatMs: 100,
      open: () => {
        const source = sources[Math.min(opened++, sources.length - 1)]
        return source === undefined || source instanceof Error
          ? Promise.reject(source ?? new Error())
          : Promise.resolve(source)
      },
      send: (_meta, position) => {
        if (go.on) sent.push(position)
        return go.on
      },
      failed: (error) => failed.push(String(error)),
    }),
  }
}

function source(onClose: () => void = () => {}): ResetSource {
  return {
    meta,
    read: (position, length) => Promise.resolve(bytes(position, Math.min(position + length, 10))),
    close: onClose,
  }
}

function reply(position: number, change: Partial<ResetReply> = {}): ResetReply {
  const same = { type: 'resetReply', from: 'b', to: 'a', term: 2, session: 1, reset: 1, match: 0, filling: 0 } as const
  return { ...same, position, done: false, ...change }
}

describe('the sender', () => {
  test('sends the next piece when one is taken, repeats what is not answered, and closes at the end', async () => {
    let closed = 0
    const { sender: end, sent } = sender([source(() => closed++)])
    await settle()
    end.replied(reply(4))
    await settle()
    expect(sent).toEqual([0, 4])
    end.tick(1000)
    end.tick(1050)
    await settle()
    expect(sent).toEqual([0, 4])
    end.tick(1100)
    await settle()
    expect(sent).toEqual([0, 4, 4])
    end.replied(reply(0, { reset: 7 }))
    end.replied(reply(10, { done: true }))
    await settle()
    expect(sent).toEqual([0, 4, 4])
    expect(closed).toBe(1)
    expect(end.isClosed).toBe(true)
  })

  test('begins again where the follower is', async () => {
    const { sender: end, sent } = sender([source()])
    await settle()
    end.replied(reply(8))
    await settle()
    end.replied(reply(0))
    await settle()
    expect(sent).toEqual([0, 8, 0])
  })

  test('closes when the follower no longer waits for it', async () => {
    const { sender: end, go } = sender([source()])
    go.on = false
    await settle()
    expect(end.isClosed).toBe(true)
  })

  test('tries again later when the state cannot be opened or read', async () => {
    const unreadable: ResetSource = { ...source(), read: () => Promise.reject(new Error('read')) }
    const { sender: end, sent, failed } = sender([new Error('open'), unreadable, source()])
    await settle()
    expect(failed).toEqual(['Error: open'])
    end.tick(0)
    end.tick(50)
    await settle()
    expect(failed).toHaveLength(1)
    end.tick(100)
    await settle()
    expect(failed).toEqual(['Error: open', 'Error: read'])
    end.tick(200)
    end.tick(300)
    await settle()
    expect(sent).toEqual([0])
  })

  test('closes a source that opens after nobody wants it', async () => {
    let closed = 0
    const { sender: end, sent } = sender([source(() => closed++)])
    end.close()
    await settle()
    expect(closed).toBe(1)
    expect(sent).toEqual([])
  })
})
