import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc, test } from '@fast-check/vitest'
import { Level } from 'level'
import { afterEach, describe, expect, vi } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { openLevelDatabase } from '../../../src/store/level-database.ts'
import { TableStore } from '../../../src/store/table-store.ts'
import { PlainTable } from './tables.ts'

const folders: string[] = []
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tables-'))
  folders.push(folder)
  return folder
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const change = fc.record({
  table: fc.nat(1),
  key: fc.constantFrom('a', 'b', 'c/d', '0', '%RETRY%g', 'é'),
  value: fc.oneof(fc.constant(undefined), fc.nat(), fc.record({ perm: fc.nat(7), name: fc.string() })),
  isSaved: fc.boolean(),
})

describe('the snapshot of tables', () => {
  test.prop([fc.array(change, { maxLength: 30 })], { numRuns: 25 })(
    'is what the tables were at the last save, whatever was taken and not saved before',
    async (changes) => {
      const folder = await temporary()
      const tables = [new PlainTable('topics'), new PlainTable('topics2')]
      let store = await TableStore.open(folder, openLevelDatabase)
      let index = 0
      for (const { table, key, value, isSaved } of changes) {
        index++
        if (value === undefined) tables[table]?.delete(key)
        else tables[table]?.set(key, value)
        // A cut whose checkpoint failed is never written by itself.
        const write = store.cut(index, tables)
        if (isSaved) await write()
      }
      await store.cut(index, tables)()
      await store.close()
      store = await TableStore.open(folder, openLevelDatabase)
      const loaded = [new PlainTable('topics'), new PlainTable('topics2')]
      await store.load(loaded)
      expect(store.appliedIndex).toBe(index)
      expect(loaded.map((table) => [...table.rows()])).toEqual(tables.map((table) => [...table.rows()]))
      await store.close()
    },
  )

  test('holds values as they were when they were taken', async () => {
    const store = await TableStore.open(await temporary(), openLevelDatabase)
    const table = new PlainTable('t')
    const row = { count: 1 }
    table.set('k', row)
    const write = store.cut(1, [table])
    row.count = 2
    await write()
    const loaded = new PlainTable('t')
    await store.load([loaded])
    expect([...loaded.rows()]).toEqual([['k', { count: 1 }]])
    await store.close()
  })

  test('is replaced as a whole by a reset', async () => {
    const store = await TableStore.open(await temporary(), openLevelDatabase)
    const table = new PlainTable('t')
    table.set('old', 1)
    await store.cut(5, [table])()
    table.set('never', 1)
    store.cut(6, [table])
    await store.replace(9, rows())
    await store.cut(10, [])()
    const loaded = new PlainTable('t')
    await store.load([loaded])
    expect([...loaded.rows()]).toEqual([['new', 2]])
    expect(store.appliedIndex).toBe(10)
    await store.close()
  })
})

describe('a snapshot that could not be written', () => {
  test('tells of a full disk by its code, and is written with the next one', async () => {
    const folder = await temporary()
    let store = await TableStore.open(folder, openLevelDatabase)
    const table = new PlainTable('t')
    table.set('a', 1)
    const batch = vi
      .spyOn(Level.prototype, 'batch')
      .mockRejectedValue(new Error('IO error: 000005.log: No space left on device'))
    expect(await store.cut(1, [table])().catch(errorCode)).toBe('ENOSPC')
    batch.mockRejectedValue(new Error('IO error: 000005.log: Input/output error'))
    expect(await store.cut(1, [table])().catch(errorCode)).toBe('STORE_WRITE_FAILED')
    batch.mockRestore()
    expect(store.appliedIndex).toBe(0)
    table.set('b', 2)
    await store.cut(2, [table])()
    await store.close()
    store = await TableStore.open(folder, openLevelDatabase)
    const loaded = new PlainTable('t')
    await store.load([loaded])
    expect([...loaded.rows()]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    await store.close()
  })
})

async function* rows() {
  await Promise.resolve()
  yield ['t', 'new', 2] as const
}
