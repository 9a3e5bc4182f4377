import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFolder } from '../../src/cli/folder-lock.ts'
import { makeFolder } from '../../src/cli/make-folder.ts'
import { readPropertiesFile } from '../../src/cli/properties-file.ts'
import { describeError } from '../../src/cli/user-errors.ts'

async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    return describeError(error)
  }
  return 'nothing went wrong'
}

test('a port in use is named with its address', async () => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const second = createServer()
  const message = await messageOf(() => new Promise((_, fail) => second.once('error', fail).listen(port, '127.0.0.1')))
  expect(message).toBe(`port in use: 127.0.0.1:${port}; another process listens there`)
  server.close()
})

test('what the system says inside a message is put into words where it stands', () => {
  const cause = Object.assign(new Error('listen EADDRINUSE: address already in use 0.0.0.0:1'), {
    code: 'EADDRINUSE',
    address: '0.0.0.0',
    port: 1,
  })
  const outer = new Error(`cannot listen: ${cause.message}`, { cause })
  expect(describeError(outer)).toBe('cannot listen: port in use: 0.0.0.0:1; another process listens there')
  expect(describeError(new Error(`cannot listen on 0.0.0.0:1: ${cause.message}`, { cause }))).toBe(
    'cannot listen on 0.0.0.0:1: the port is in use by another process',
  )
  expect(describeError(new Error('no start', { cause }))).toBe(
    'no start: port in use: 0.0.0.0:1; another process listens there',
  )
})

test('an error has its stack only where it is asked for', () => {
  const error = new Error('why', { cause: new Error('because') })
  expect(describeError(error)).toBe('why')
  expect(describeError(error, true)).toMatch(/^Error: why\n +at .*caused by Error: because\n/s)
  expect(describeError('a string')).toBe('a string')
})

test('a folder that cannot be made is named, and never waited for', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    writeFileSync(join(dir, 'file'), '')
    expect(await messageOf(() => makeFolder(join(dir, 'file')))).toBe(
      `${join(dir, 'file')} is there already, and is not what it should be`,
    )
    expect(await messageOf(() => makeFolder(join(dir, 'file', 'a', 'b')))).toContain('is not in a folder')
    makeFolder(join(dir, 'a', 'b', 'c'))
    makeFolder(join(dir, 'a', 'b', 'c'))
    if (process.platform === 'linux')
      expect(await messageOf(() => makeFolder('/proc/a/b'))).not.toBe('nothing went wrong')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

const isKnown = (key: string): boolean => key === 'listenPort'

test('a file that cannot be meant as a server’s is refused with its name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  const file = join(dir, 'f')
  const read = (content: string | Buffer): Promise<string> => {
    writeFileSync(file, content)
    return messageOf(() => readPropertiesFile(file, isKnown))
  }
  try {
    expect(await read('')).toBe('nothing went wrong')
    expect(await read('# only a comment')).toBe('nothing went wrong')
    expect(await read('strange=1\nlistenPort=1')).toBe('nothing went wrong')
    expect(await read('listenPort=1\0')).toBe(`${file} is not a .properties file of a server: it has a byte 0`)
    expect(await read(Buffer.from([0x61, 0x3d, 0xff]))).toContain('it is not UTF-8 text')
    expect(await read(`\n${'x'.repeat(500)}=1`)).toBe(
      `${file} is not a .properties file of a server: no key in it is known; the first, in line 2, is "${'x'.repeat(60)}…"`,
    )
    expect(await messageOf(() => readPropertiesFile(dir, isKnown))).toBe(`${dir} is a folder, not a file`)
    writeFileSync(file, `listenPort=1\n${'y'.repeat(100)}=2`)
    expect(readPropertiesFile(file, isKnown).entries.map(({ key }) => key)).toEqual([
      'listenPort',
      `${'y'.repeat(60)}…`,
    ])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('a folder is locked for one holder, until it lets go', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const lock = await lockFolder(dir)
    await expect(lockFolder(dir)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
    expect(await messageOf(() => lockFolder(dir))).toBe(`${dir} is in use by another process`)
    await lock.release()
    await (await lockFolder(dir)).release()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
