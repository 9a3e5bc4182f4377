import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { javaHashCode } from '../../../src/message/tags-code.ts'
import { KeyIndex } from '../../../src/store/key-index.ts'
import { BLOCK_ENTRIES, spreadHash } from '../../../src/store/key-index-block.ts'
import { decodeKeyParts } from '../../../src/store/key-index-state.ts'
import { PageFiles } from '../../../src/store/page-files.ts'
import { CrashDisk } from './crash-disk.ts'
import { World } from './world.ts'

async function open(disk: CrashDisk, parts?: Buffer[]): Promise<KeyIndex> {
  const files = await PageFiles.open({ fileSystem: disk, folder: '/keys', suffix: '.keys', maxOpenFiles: 2 })
  return new KeyIndex(files, parts === undefined ? undefined : decodeKeyParts(parts))
}

async function save(index: KeyIndex, parts: Buffer[], isWhole: boolean): Promise<void> {
  const cut = index.cut(isWhole)
  await cut.write()
  if (isWhole) parts.length = 0
  parts.push(cut.part)
  await cut.saved()
}

async function offsets(index: KeyIndex, key: string, beginMs = 0, endMs = Infinity): Promise<number[]> {
  const found: number[] = []
  for await (const offset of index.find(javaHashCode(key), beginMs, endMs)) found.push(offset)
  return found
}

describe('the key index', () => {
  test('finds keys in the block being filled, in full blocks, and on disk, the newest first', async () => {
    const disk = new CrashDisk()
    const parts: Buffer[] = []
    let index = await open(disk)
    const wanted: number[] = []
    let offset = 0
    const add = (key: string, timestampMs: number): void => index.add(javaHashCode(key), (offset += 100), timestampMs)
    for (let i = 0; i < 3.5 * BLOCK_ENTRIES; i++) {
      add(i % 20_000 === 7 ? 'wanted' : `key${i}`, i)
      if (i % 20_000 === 7) wanted.unshift(offset)
      if (i === BLOCK_ENTRIES + 5) await save(index, parts, true)
      if (i === 2 * BLOCK_ENTRIES + 5 || i === 2 * BLOCK_ENTRIES + 900) await save(index, parts, false)
    }
    expect(await offsets(index, 'wanted')).toEqual(wanted)
    await save(index, parts, false)
    index = await open(disk, parts)
    expect(await offsets(index, 'wanted')).toEqual(wanted)
    expect(await offsets(index, 'key3')).toEqual([400])
    expect(index.blockCount).toBe(4)
    const late = await offsets(index, 'wanted', 3 * BLOCK_ENTRIES)
    expect(late).toEqual(wanted.slice(0, late.length))
    expect(late.length).toBeLessThan(wanted.length)
  })

  test('drops blocks below the log start, and their files with the last of them', async () => {
    const disk = new CrashDisk()
    const index = await open(disk)
    let offset = 0
    for (let i = 0; i < 66 * BLOCK_ENTRIES; i++) {
      index.add(i, ++offset, i)
      if (i % (8 * BLOCK_ENTRIES) === 0) await save(index, [], true)
    }
    await save(index, [], true)
    expect(disk.paths().filter((path) => path.startsWith('/keys/')).length).toBe(2)
    index.moveLogStart(65 * BLOCK_ENTRIES)
    await save(index, [], true)
    expect(disk.paths().filter((path) => path.startsWith('/keys/'))).toEqual(['/keys/00000001.keys'])
    expect(index.blockCount).toBeLessThan(5)
  }, 60_000)

  test.prop([fc.integer(), fc.integer()])('hashes are spread one to one', (a, b) => {
    fc.pre((a | 0) !== (b | 0))
    expect(spreadHash(a | 0)).not.toBe(spreadHash(b | 0))
  })

  test('a record is found by each of its keys, once, in times both included, and not by a key that only collides', async () => {
    const world = await World.create()
    // Java's hash code of both is 2112.
    world.send({ topic: 'a', queueId: 0, keys: ['Aa', 'x'] })
    world.log.timestampMs += 1000
    world.send({ topic: 'a', queueId: 0, keys: ['BB', 'BB'] })
    const [first, second] = world.modelQueue('a', 0).messages
    const find = async (key: string, beginMs: number, endMs: number) =>
      (await world.store.byKey({ topic: 'a', key, maxCount: 32, beginMs, endMs })).records
    expect(javaHashCode('a#Aa')).toBe(javaHashCode('a#BB'))
    expect(await find('Aa', 0, Infinity)).toEqual([first?.record])
    expect(await find('BB', 0, Infinity)).toEqual([second?.record])
    expect(await find('x', first?.timestampMs ?? 0, first?.timestampMs ?? 0)).toEqual([first?.record])
    expect(await find('x', 0, (first?.timestampMs ?? 0) - 1)).toEqual([])
    expect(await find('BB', (second?.timestampMs ?? 0) + 1, Infinity)).toEqual([])
    expect(await find('Ax', 0, Infinity)).toEqual([])
  })

  test('of more records than asked for, the newest come, in the order of the log', async () => {
    const world = await World.create()
    for (let i = 0; i < 50; i++) world.send({ topic: 'a', queueId: i % 3, keys: ['k'] })
    const all = [0, 1, 2]
      .flatMap((queueId) => world.modelQueue('a', queueId).messages)
      .sort((a, b) => a.offset - b.offset)
    const { records, lastUpdateOffset } = await world.store.byKey({
      topic: 'a',
      key: 'k',
      maxCount: 5,
      beginMs: 0,
      endMs: Infinity,
    })
    expect(records).toEqual(all.slice(-5).map((message) => message.record))
    expect(lastUpdateOffset).toBe(all.at(-1)?.offset)
  })
})
