import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { KvConfig } from '../../src/namesrv/kv-config.ts'
import { nodeTextFiles } from '../../src/namesrv/text-files.ts'
import { MemoryFiles } from './memory-files.ts'

const path = '/kv.json'

test('what was put is there after a restart', () => {
  const files = new MemoryFiles()
  const kv = new KvConfig({ files, path })
  kv.load()
  kv.put('ns', 'a', '1')
  kv.put('ns', 'b', 'grün')
  kv.put('ns', 'a', '2')
  kv.put('other', '__proto__', 'p')
  kv.delete('ns', 'b')
  kv.delete('ns', 'never there')
  const again = new KvConfig({ files, path })
  again.load()
  expect(again.list('ns')).toEqual(new Map([['a', '2']]))
  expect([again.get('ns', 'a'), again.get('ns', 'b'), again.get('other', '__proto__')]).toEqual(['2', undefined, 'p'])
  expect(again.list('none')).toBeUndefined()
})

test('the file is RocketMQ’s', () => {
  const files = new MemoryFiles()
  const kv = new KvConfig({ files, path })
  kv.put('ORDER_TOPIC_CONFIG', 'T', 'broker-a:4')
  expect(files.texts.get(path)).toBe('{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:4"}}}')
})

test('what cannot be written is not there', () => {
  const files = new MemoryFiles()
  const kv = new KvConfig({ files, path })
  kv.put('ns', 'a', '1')
  files.failWith = new Error('no space left on device')
  expect(codeOf(() => kv.put('ns', 'a', '2'))).toBe('NAMESRV_NOT_WRITTEN')
  expect(codeOf(() => kv.delete('ns', 'a'))).toBe('NAMESRV_NOT_WRITTEN')
  expect(kv.get('ns', 'a')).toBe('1')
})

test('a damaged file is not started over', () => {
  const files = new MemoryFiles()
  files.texts.set(path, '{"configTable":{"ns":')
  expect(codeOf(() => new KvConfig({ files, path }).load())).toBe('NAMESRV_KV_UNREADABLE')
})

test('an empty file and no file are empty tables', () => {
  const files = new MemoryFiles()
  files.texts.set(path, '\n')
  const kv = new KvConfig({ files, path })
  kv.load()
  expect(kv.list('ns')).toBeUndefined()
})

test('files on disk are replaced whole, folders are made, and nothing is left lying about', () => {
  const folder = mkdtempSync(join(tmpdir(), 'namesrv-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a', 'b', 'kv.json')
  expect(nodeTextFiles.read(file)).toBeUndefined()
  nodeTextFiles.write(file, 'first, longer')
  nodeTextFiles.write(file, 'second')
  expect(nodeTextFiles.read(file)).toBe('second')
  expect(readFileSync(file, 'utf8')).toBe('second')
  expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['kv.json'])
})

function codeOf(run: () => void): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}
