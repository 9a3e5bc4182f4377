import { describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/lib/log.ts'
import { Peers } from '../../../src/broker/peers/peers.ts'
import type { PeerSocket } from '../../../src/broker/peers/peer-socket.ts'
import { PeerFrameKind } from '../../../src/broker/peers/peer-wire.ts'
import { PeerFrameSplitter, encodePeerFrame } from '../../../src/broker/peers/peer-wire.ts'
import { refusalOf, helloOf, readHello } from '../../../src/broker/peers/peer-handshake.ts'
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
  more: { incarnation?: string; group?: string; clusterId?: string; known?: typeof addresses } = {},
): Peers {
  const listen = addresses.get(id) ?? { host: 'x', port: 9 }
  const identity = {
    group: more.group ?? 'broker-a',
    id,
    clusterId: more.clusterId,
    incarnation: more.incarnation ?? `${id}-1`,
    place: `${listen.host}:${listen.port}`,
  }
  const known = more.known ?? addresses
  return new Peers({ identity: () => identity, addresses: known, listen, network, clock, log: silentLog, link })
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

  test('a peer that takes the connection and never greets is dialled again', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    // Its machine lost power after it took the connection: nobody answers, and nobody says that the connection is gone.
    const silent = await network.listen('b', 2, () => undefined)
    const a = node('n0', network, clock)
    await a.start()
    await settle(clock)
    await silent.close()
    const b = node('n1', network, clock)
    const heard: string[] = []
    b.attachRaft({ receive: () => heard.push('raft'), peerStarted: (peer) => heard.push(peer) })
    await b.start()
    clock.advance(link.dialTimeoutMs)
    await settle(clock)
    a.send('n1', envelope('n0', 'n1'))
    expect(heard).toEqual(['n0', 'raft'])
  })

  test('a peer that was lost with its power is dialled anew as soon as its next process says who it is', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const [a, b] = [node('n0', network, clock), node('n1', network, clock)]
    await a.start()
    await b.start()
    await settle(clock)
    network.vanish(2)
    const heard: string[] = []
    const again = node('n1', network, clock, { incarnation: 'n1-2' })
    again.attachRaft({ receive: () => heard.push('raft'), peerStarted: (peer) => heard.push(peer) })
    await again.start()
    await settle(clock)
    a.send('n1', envelope('n0', 'n1'))
    expect(heard).toEqual(['n0', 'raft'])
  })

  test('a new connection of a peer ends the one before it, which takes nothing back of what is said over the new one', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const b = node('n1', network, clock)
    const told: string[] = []
    b.handle('say', (_from, meta) => Promise.resolve({ meta: told.push(String(meta)) }))
    b.onLost((peer) => told.push(`${peer} is lost`))
    await b.start()
    const connect = async (name: string, incarnation: string): Promise<PeerSocket> => {
      const socket = await network.dial('b', 2)
      socket.listen({ frame: () => undefined, closed: () => told.push(`${name} is closed`) })
      const identity = { group: 'broker-a', id: 'n0', clusterId: undefined, incarnation, place: 'a:1' }
      socket.send(PeerFrameKind.hello, helloOf(identity, 'n1', 'service'), [])
      return socket
    }
    await connect('one', 'n0-1')
    const two = await connect('two', 'n0-2')
    two.send(PeerFrameKind.oneway, { method: 'say', meta: 'hello' }, [])
    expect(told).toEqual(['one is closed', 'n0 is lost', 'hello'])
    two.close()
    expect(told.slice(3)).toEqual(['two is closed', 'n0 is lost'])
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

  test('a node that is new to the members is linked, and one that was removed is told and no longer linked', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const a = node('n0', network, clock, { clusterId: 'c', known: new Map([['n0', { host: 'a', port: 1 }]]) })
    const b = node('n1', network, clock)
    const told: string[] = []
    b.onRemoved(() => told.push('removed'))
    b.handle('slow', () => new Promise((resolve) => clock.after(2000, () => resolve({ meta: 'done' }))))
    await a.start()
    await b.start()
    await settle(clock)
    // n1 belongs to no cluster, and n0 has not heard of it.
    expect([a.isReachable('n1'), b.isReachable('n0')]).toEqual([false, false])
    a.setMembers({ addresses, removed: new Set() })
    for (let round = 0; round < 10; round++) await settle(clock)
    expect([a.isReachable('n1'), b.isReachable('n0')]).toEqual([true, true])
    const asked = a.ask('n1', 'slow', 0, [], 3000)
    a.setMembers({ addresses: new Map([['n0', { host: 'a', port: 1 }]]), removed: new Set(['n1']) })
    await settle(clock)
    expect(told).toEqual(['removed', 'removed'])
    expect(a.ids).toEqual([])
    // What was in flight is answered.
    clock.advance(2000)
    expect((await asked).meta).toBe('done')
    clock.advance(5000)
    await settle(clock)
    expect(b.isReachable('n0')).toBe(true)
    // And whoever comes back under that id is told again.
    await b.close()
    const again = node('n1', network, clock, { incarnation: 'n1-2' })
    again.onRemoved(() => told.push('again'))
    await again.start()
    await settle(clock)
    expect(told.at(-1)).toBe('again')
  })

  test('a node that is behind answers a member of its cluster that it has not heard of', async () => {
    const clock = new ManualClock()
    const network = new MemoryPeerNetwork()
    const a = node('n0', network, clock, { clusterId: 'c' })
    const b = node('n1', network, clock, { clusterId: 'c', known: new Map([['n1', { host: 'b', port: 2 }]]) })
    await a.start()
    await b.start()
    await settle(clock)
    expect(b.isReachable('n0')).toBe(true)
    // An old membership does not end it; the end of the connection does.
    b.setMembers({ addresses: new Map([['n1', { host: 'b', port: 2 }]]), removed: new Set() })
    expect(b.isReachable('n0')).toBe(true)
    await a.close()
    await settle(clock)
    expect(b.ids).toEqual([])
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
  const own = { group: 'g', id: 'n0', clusterId: 'c1', incarnation: 'i', place: 'a:1' }
  const members = { ids: new Set(['n0', 'n1']), removed: new Set(['n8']) }
  const hello = helloOf({ group: 'g', id: 'n1', clusterId: 'c1', incarnation: 'j', place: 'b:2' }, 'n0', 'raft')

  test.each([
    ['another group', { ...hello, group: 'h' }],
    ['another cluster', { ...hello, clusterId: 'c2' }],
    ['another format', { ...hello, formatVersion: 99 }],
    ['a stranger', { ...hello, from: 'n7', clusterId: undefined }],
    ['who was removed, with the old disk or an empty one', { ...hello, from: 'n8' }],
    ['somebody who looks for another node', { ...hello, to: 'n1' }],
  ])('refuses %s', (_, other) => {
    expect(refusalOf(own, other, members)).toMatchObject({ isRemoved: other.from === 'n8' })
  })

  test('takes who is of its cluster, a member that belongs to no cluster yet, and as a new node whoever calls', () => {
    expect(refusalOf(own, hello, members)).toBeUndefined()
    expect(refusalOf(own, { ...hello, from: 'n7' }, members)).toBeUndefined()
    expect(refusalOf({ ...own, clusterId: undefined }, { ...hello, from: 'n7' }, members)).toBeUndefined()
    expect(refusalOf(own, { ...hello, clusterId: undefined }, members)).toBeUndefined()
  })

  test('takes nothing for a hello that is none', () => {
    for (const value of [null, 1, 'x', {}, { ...hello, lane: 'other' }, { ...hello, from: 1 }, { ...hello, place: 1 }])
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
