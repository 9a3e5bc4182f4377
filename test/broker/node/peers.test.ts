import { describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/lib/log.ts'
import { Peers } from '../../../src/broker/peers.ts'
import { PeerFrameKind } from '../../../src/broker/peer-wire.ts'
import { PeerFrameSplitter, encodePeerFrame } from '../../../src/broker/peer-wire.ts'
import { refusalOf, helloOf, readHello } from '../../../src/broker/peer-handshake.ts'
import type { Envelope } from '../../../src/raft/ports.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryPeerNetwork } from './memory-peer-network.ts'

const addresses = new Map([
  ['n0', { host: 'a', port: 1 }],
  ['n1', { host: 'b', port: 2 }],
])
const link = { dialTimeoutMs: 1000, redialMinMs: 10, redialMaxMs: 100, maxInFlight: 4 }

function node(
  id: string,
  network: MemoryPeerNetwork,
  clock: ManualClock,
  more: { incarnation?: string; group?: string } = {},
): Peers {
  const listen = addresses.get(id) ?? { host: 'x', port: 9 }
  const identity = {
    group: more.group ?? 'broker-a',
    id,
    clusterId: undefined,
    incarnation: more.incarnation ?? `${id}-1`,
  }
  return new Peers({ identity: () => identity, addresses, listen, network, clock, log: silentLog, link })
}

const settle = async (clock: ManualClock): Promise<void> => {
  for (let round = 0; round < 20; round++) {
    await Promise.resolve()
    clock.advance(10)
  }
}

function envelope(from: string, to: string): Envelope {
  const message: Envelope['message'] = { type: 'timeoutNow', from, to, term: 1 }
  return { message, payload: [Buffer.from('frames')] }
}

describe('peers', () => {
  test('carry a raft message with its payload, after telling the incarnation of its sender', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock)]
    const heard: string[] = []
    b.attachRaft({
      receive: (from, { message, payload }) =>
        heard.push(`${from} ${message.type} ${Buffer.concat(payload).toString()}`),
      peerStarted: (peer, incarnation) => heard.push(`${peer} is ${incarnation}`),
    })
    await a.start()
    await b.start()
    await settle(clock)
    a.send('n1', envelope('n0', 'n1'))
    expect(heard).toEqual(['n0 is n0-1', 'n0 timeoutNow frames'])
  })

  test('a peer that comes back is announced before its first message', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock)]
    await a.start()
    await b.start()
    await settle(clock)
    const heard: string[] = []
    b.attachRaft({
      receive: (from) => heard.push(`${from} speaks`),
      peerStarted: (_, incarnation) => heard.push(incarnation),
    })
    await a.close()
    const again = node('n0', network, clock, { incarnation: 'n0-2' })
    await again.start()
    await settle(clock)
    again.send('n1', envelope('n0', 'n1'))
    expect(heard).toEqual(['n0-1', 'n0-2', 'n0 speaks'])
  })

  test('a request is answered, fails with its reason, times out, or finds nobody', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock)]
    b.handle('echo', (from, meta, payload) => Promise.resolve({ meta: [from, meta], payload: [payload] }))
    b.handle('fail', () => Promise.reject(new Error('because')))
    b.handle('hang', () => new Promise(() => {}))
    await a.start()
    await b.start()
    await settle(clock)
    const answer = await a.ask('n1', 'echo', 7, [Buffer.from('x')], 1000)
    expect([answer.meta, answer.payload.toString()]).toEqual([['n0', 7], 'x'])
    await expect(a.ask('n1', 'fail', 0, [], 1000)).rejects.toMatchObject({ code: 'PEER_FAILED', message: 'because' })
    await expect(a.ask('n1', 'nothing', 0, [], 1000)).rejects.toMatchObject({ code: 'PEER_FAILED' })
    const hanging = a.ask('n1', 'hang', 0, [], 1000)
    const timedOut = expect(hanging).rejects.toMatchObject({ code: 'PEER_TIMEOUT' })
    clock.advance(1100)
    await timedOut
    await expect(a.ask('n9', 'echo', 0, [], 1000)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await b.close()
    await expect(a.ask('n1', 'echo', 0, [], 1000)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  test('requests in flight to a peer are bounded', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock)]
    b.handle('hang', () => new Promise(() => {}))
    await a.start()
    await b.start()
    await settle(clock)
    const codes: unknown[] = []
    for (let at = 0; at < 5; at++) a.request('n1', 'hang', at, [], 60_000, (error) => codes.push(error))
    expect(codes).toMatchObject([{ code: 'PEER_BUSY' }])
  })

  test('nodes of different groups do not talk', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock, { group: 'broker-b' })]
    await a.start()
    await b.start()
    await settle(clock)
    expect([a.isReachable('n1'), b.isReachable('n0')]).toEqual([false, false])
  })
})

describe('the peer handshake', () => {
  const own = { group: 'g', id: 'n0', clusterId: 'c1', incarnation: 'i' }
  const members = new Set(['n0', 'n1'])
  const hello = helloOf({ group: 'g', id: 'n1', clusterId: 'c1', incarnation: 'j' }, 'n0', 'raft')

  test.each([
    ['another group', { ...hello, group: 'h' }],
    ['another cluster', { ...hello, clusterId: 'c2' }],
    ['another format', { ...hello, formatVersion: 99 }],
    ['a stranger', { ...hello, from: 'n7' }],
    ['somebody who looks for another node', { ...hello, to: 'n1' }],
  ])('refuses %s', (_, other) => {
    expect(refusalOf(own, other, members)).toBeTypeOf('string')
  })

  test('takes a member of its cluster, and a member that belongs to no cluster yet', () => {
    expect(refusalOf(own, hello, members)).toBeUndefined()
    expect(refusalOf(own, { ...hello, clusterId: undefined }, members)).toBeUndefined()
  })

  test('takes nothing for a hello that is none', () => {
    for (const value of [null, 1, 'x', {}, { ...hello, lane: 'other' }, { ...hello, from: 1 }])
      expect(readHello(value)).toBeUndefined()
  })
})

describe('the peer frame splitter', () => {
  test('gives the same frames however the stream is cut', () => {
    const frames = [0, 1, 70_000].map((size) =>
      Buffer.concat(encodePeerFrame(PeerFrameKind.raft, { size }, [Buffer.alloc(size, 7)])),
    )
    const stream = Buffer.concat(frames)
    for (const step of [7, 1000, stream.byteLength]) {
      const splitter = new PeerFrameSplitter(1 << 20)
      const seen: unknown[] = []
      for (let at = 0; at < stream.byteLength; at += step) {
        for (const frame of splitter.push(stream.subarray(at, at + step)))
          seen.push([frame.meta, frame.payload.byteLength])
      }
      expect(seen).toEqual([
        [{ size: 0 }, 0],
        [{ size: 1 }, 1],
        [{ size: 70_000 }, 70_000],
      ])
    }
  })

  test('refuses a frame over its limit, an unknown kind and a meta longer than its frame', () => {
    const good = Buffer.concat(encodePeerFrame(PeerFrameKind.raft, 1, []))
    const tooLong = Buffer.from(good)
    tooLong.writeUInt32BE(2 ** 21, 0)
    const unknown = Buffer.from(good)
    unknown.writeUInt8(99, 4)
    const lying = Buffer.from(good)
    lying.writeUInt16BE(60_000, 5)
    for (const bytes of [tooLong, unknown, lying]) {
      expect(() => new PeerFrameSplitter(1 << 20).push(bytes)).toThrow(
        expect.objectContaining({ code: 'PEER_BAD_FRAME' }),
      )
    }
  })
})
