import { beforeEach, expect, test } from 'vitest'
import { setAsideUncommitted } from '../../../src/broker/node/set-aside-uncommitted.ts'
import type { Log } from '../../../src/lib/log.ts'
import { frameOffset } from '../../../src/message/entry-frame.ts'
import { LostMessages } from '../../../src/store/lost-messages.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { closeNode, draftOf, openNode, type OpenedNode, readAll, recordOf } from '../../store/log/log-support.ts'

const ENTRIES = 40
const EARLY = { term: 3, all: true }
/** Of term 3, whose leader acknowledged before the commit; those before are of term 1. */
const FIRST_EARLY = 11

let disk: FaultyFileSystem
let frames: Buffer[]
let unkept: [offset: number, end: number][]
let warnings: { readonly fields: object; readonly text: string }[]

beforeEach(async () => {
  disk = new FaultyFileSystem()
  warnings = []
  unkept = []
  const node = await openNode(disk)
  for (let index = 1; index <= ENTRIES; index++) {
    const record = recordOf(Buffer.from(`message ${index} ${'.'.repeat(200)}`))
    node.log.append({ index, term: index < FIRST_EARLY ? 1 : EARLY.term }, { ...draftOf(index), records: [record] })
  }
  await node.log.stable()
  frames = await readAll(node.log)
  await closeNode(node)
})

/** Flips a bit in the body of the entry. */
function rot(index: number): void {
  const frame = frames[index - 1]
  const starts = disk.paths().flatMap((path) => /commitlog\/(\d{20})$/.exec(path)?.[1] ?? [])
  const offset = frame === undefined ? 0 : frameOffset(frame, 0)
  const start = starts.filter((name) => Number(name) <= offset).at(-1) ?? ''
  disk.flip(`data/commitlog/${start}`, offset - Number(start) + (frame?.length ?? 0) - 20, 3)
}

async function setAside(node: OpenedNode, appliedIndex: number): Promise<number[]> {
  const lost = new LostMessages(disk, 'data/lost')
  const logger: Log = {
    debug() {},
    info() {},
    warn: (fields, text) => warnings.push({ fields, text }),
    error() {},
    child: () => logger,
  }
  const early = {
    value: EARLY,
    rotted: (offset: number, end: number) => {
      unkept.push([offset, end])
      return Promise.resolve()
    },
  }
  await setAsideUncommitted({ log: node.log, early, lost, logger }, appliedIndex)
  await lost.settle(() => true)
  const messages = (await lost.list()).flatMap((file) => file.messages)
  return messages.map(({ body }) => Number(/^message (\d+)/.exec(body.toString())?.[1]))
}

const done = (): Promise<void> => Promise.resolve()

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n)

test('what a node may have acknowledged and has not applied is set aside before a reset', async () => {
  const node = await openNode(disk)
  expect(await setAside(node, 4)).toEqual(range(FIRST_EARLY, ENTRIES))
  expect(await setAside(node, 30)).toEqual([...range(FIRST_EARLY, ENTRIES), ...range(31, ENTRIES)])
  expect([warnings, unkept]).toEqual([[], []])
})

test('what has rotted of it is said and counted, the rest is set aside, and the reset goes on', async () => {
  for (const index of [12, 20, 21, 40]) rot(index)
  const node = await openNode(disk)
  const rotten = new Set([12, 20, 21, 40])
  expect(await setAside(node, 4)).toEqual(range(FIRST_EARLY, ENTRIES).filter((index) => !rotten.has(index)))
  expect(warnings.map(({ fields }) => fields)).toMatchObject([
    { term: 3, first: 12, last: 12 },
    { term: 3, first: 20, last: 21 },
    { term: 3, first: 40, last: 40 },
  ])
  const placeOf = (index: number): number => frameOffset(frames[index - 1] ?? Buffer.alloc(0), 0)
  expect(unkept).toEqual([
    [placeOf(12), placeOf(13)],
    [placeOf(20), placeOf(22)],
    [placeOf(40), placeOf(40) + (frames[39]?.length ?? 0)],
  ])
  expect(warnings[1]?.text).toMatch(/^entries 20 to 21, which this node may have acknowledged, have rotted/)

  const start = { index: 60, term: 4, offset: 100_000, timestampMs: 1, crc: 0 }
  await node.log.reset({ start, membership: undefined, stage: done, install: done })
  expect([node.log.start.index, node.log.end.index, node.failures]).toEqual([60, 60, []])
})

test('a node of which all has rotted that it may have acknowledged sets nothing aside', async () => {
  for (const index of range(FIRST_EARLY, ENTRIES)) rot(index)
  const node = await openNode(disk)
  expect(await setAside(node, 0)).toEqual([])
  expect(warnings.length).toBeGreaterThan(0)
})
