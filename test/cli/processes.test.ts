import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { freePorts } from '../interop/support/ports.ts'
import { buildPackage, main, PackageProcesses, type Run } from '../support/package-processes.ts'

const processes = new PackageProcesses()
let dir = ''

beforeAll(buildPackage, 120_000)

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
})

afterEach(async () => {
  await processes.end()
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
})

/** The one line of `up --json`; a warning may come before it, on standard error. */
const READY = /^\{.*\}\n/

const raftmq = (...args: string[]): Run => processes.raftmq(dir, args)

async function upArguments(): Promise<string[]> {
  const port = await freePorts(40)
  return ['up', '--json', '--dir', join(dir, 'data'), '--namesrv-port', String(port), '--port', String(port + 1)]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The leader's first. */
function pidsOf(output: string): readonly number[] {
  const { nodes }: { readonly nodes: readonly { readonly pid: number; readonly role: string }[] } = JSON.parse(output)
  const leader = nodes.find(({ role }) => role === 'leader')?.pid ?? 0
  return [leader, ...nodes.map(({ pid }) => pid).filter((pid) => pid !== leader)]
}

test('up says it is ready in one line of JSON, restarts a killed node, and stops cleanly', async () => {
  const args = await upArguments()
  const up = raftmq(...args)
  await up.said(READY)
  const [leaderPid = 0, ...others] = pidsOf(up.output())
  expect(others).toHaveLength(2)
  process.kill(leaderPid, 'SIGKILL')
  await up.said('died (SIGKILL); restarting now')
  await up.said(/leads \(term \d+\)/)
  const second = raftmq(...args.with(5, String(await freePorts(1))))
  expect(await second.exit).toBe(1)
  expect(second.errors()).toBe(`raftmq: ${join(dir, 'data')} is in use by another process\n`)
  up.child.kill('SIGTERM')
  expect(await up.exit).toBe(0)
  expect(up.output().split('\n')).toHaveLength(2)
  expect(others.filter(isAlive)).toEqual([])
}, 60_000)

test('up says the mode of the log, and that an option of it came too late', async () => {
  const args = [...(await upArguments()), '--nodes', '1']
  const up = raftmq(...args)
  await up.said(READY)
  expect(JSON.parse(up.output())).toMatchObject({ groups: [{ flush: 'sync', replication: 'sync' }] })
  const namesrv = `127.0.0.1:${args[5]}`
  const set = raftmq('mode', 'set', '-n', namesrv, '--broker', 'broker-a', '--flush', 'async')
  expect(await set.exit).toBe(0)
  up.child.kill('SIGTERM')
  expect(await up.exit).toBe(0)
  const again = raftmq(...args.filter((arg) => arg !== '--json'), '--flush', 'sync')
  await again.said('Ctrl-C stops it')
  expect(again.output()).toContain('one broker group of a single node: async flush, sync replication.\n')
  expect(again.errors()).toBe(
    'warning: --flush sync is for new groups, and the log of broker-a says async flush, sync replication. ' +
      `To change it: npx raftmq mode set -n ${namesrv} --broker broker-a --flush sync\n`,
  )
  again.child.kill('SIGTERM')
  expect(await again.exit).toBe(0)
}, 60_000)

test('a node whose folder vanished is started anew, and the others go on', async () => {
  const up = raftmq(...(await upArguments()))
  await up.said(READY)
  const pids = pidsOf(up.output())
  const follower = pids.at(-1) ?? 0
  const { nodes }: { nodes: { id: string; pid: number; address: string }[] } = JSON.parse(up.output())
  const { id = '' } = nodes.find(({ pid }) => pid === follower) ?? {}
  rmSync(join(dir, 'data', 'broker-a', id), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  process.kill(follower, 'SIGKILL')
  await up.said(`broker-a ${id} died`)
  await expect.poll(() => existsSync(join(dir, 'data', 'broker-a', id, 'node.log')), { timeout: 20_000 }).toBe(true)
  // A file in the way of the folder cannot be mended: it is said, tried again later, and the others go on.
  const [leader = 0] = pids
  const { id: second = '' } = nodes.find(({ pid }) => pid === leader) ?? {}
  rmSync(join(dir, 'data', 'broker-a', second), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  writeFileSync(join(dir, 'data', 'broker-a', second), '')
  if (isAlive(leader)) process.kill(leader, 'SIGKILL')
  await up.said(new RegExp(`broker-a ${second} died \\(it could not be started: .*\\); restarting in 200 ms`))
  expect(pids.filter((pid) => pid !== leader && pid !== follower).every(isAlive)).toBe(true)
  up.child.kill('SIGTERM')
  expect(await up.exit).toBe(0)
}, 60_000)

test('up names the first port in use and the option to change, and leaves no folder behind', async () => {
  const args = await upArguments()
  const base = Number(args.at(-1))
  for (const [port, message] of [
    [
      base - 1,
      `port ${base - 1} of the name server is in use by another process: end that, or choose another --namesrv-port`,
    ],
    [
      base + 11,
      `port ${base + 11} of broker-a n1 for its peers is in use by another process: end that, or choose another --port`,
    ],
  ] as const) {
    const held = createServer()
    await new Promise<void>((done) => held.listen(port, '127.0.0.1', done))
    const up = raftmq(...args)
    expect(await up.exit).toBe(1)
    expect(up.errors()).toBe(`raftmq: ${message}\n`)
    expect(existsSync(join(dir, 'data'))).toBe(false)
    await new Promise((done) => held.close(done))
  }
}, 60_000)

test('a single node is left dead with --no-restart, and the nodes of a supervisor that is killed end by themselves', async () => {
  const up = raftmq(...(await upArguments()), '--nodes', '1', '--no-restart')
  await up.said(READY)
  const [pid = 0] = pidsOf(up.output())
  process.kill(pid, 'SIGKILL')
  await up.said('it stays dead')
  up.child.kill('SIGKILL')
  await up.exit
  const again = raftmq(...(await upArguments()))
  await again.said('\n')
  const [survivor = 0] = pidsOf(again.output())
  again.child.kill('SIGKILL')
  await expect.poll(() => isAlive(survivor), { timeout: 20_000 }).toBe(false)
}, 60_000)

test('a broker started from a file says in one line why it cannot start', async () => {
  const file = join(dir, 'broker.conf')
  const start = async (text: string): Promise<string> => {
    writeFileSync(file, text)
    const broker = raftmq('broker', '-c', file)
    expect(await broker.exit).toBe(1)
    const said = broker.errors()
    expect(said).not.toMatch(/\n +at /)
    return said
      .split('\n')
      .filter((line) => line.startsWith('raftmq: '))
      .join('\n')
  }
  expect(await start('\nlistenPort=0')).toBe(
    `raftmq: ${file}:2: listenPort is "0", it must be an integer from 1 to 65535`,
  )
  const held = createServer()
  await new Promise<void>((done) => held.listen(0, '127.0.0.1', done))
  const address = held.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const place = `bindAddress=127.0.0.1\nbrokerIP1=127.0.0.1\nlistenPort=${port}\n`
  expect(await start(`${place}storePathRootDir=${join(dir, 'store')}`)).toBe(
    `raftmq: cannot listen on 127.0.0.1:${port}: the port is in use by another process`,
  )
  held.close()
  expect(await start(`${place}storePathRootDir=${file}/store`)).toContain('is not in a folder')
}, 60_000)

test('a broker takes a folder whose lock names nobody, as a loss of power leaves it', async () => {
  const [port, store] = [await freePorts(1), join(dir, 'store')]
  mkdirSync(store)
  writeFileSync(join(store, 'lock'), '')
  const place = `brokerIP1=127.0.0.1\nbindAddress=127.0.0.1\nlistenPort=${port}\n`
  writeFileSync(join(dir, 'broker.conf'), `${place}storePathRootDir=${store}\n`)
  const broker = raftmq('broker', '-c', join(dir, 'broker.conf'))
  await broker.said('started')
  broker.child.kill('SIGTERM')
  expect(await broker.exit).toBe(0)
}, 60_000)

test('a broker and a name server from files stop cleanly on SIGTERM, and -p starts nothing', async () => {
  const port = await freePorts(2)
  writeFileSync(
    join(dir, 'namesrv.conf'),
    `listenPort=${port}\nbindAddress=127.0.0.1\nkvConfigPath=${join(dir, 'kv.json')}\n`,
  )
  writeFileSync(
    join(dir, 'broker.conf'),
    `brokerIP1=127.0.0.1\nbindAddress=127.0.0.1\nlistenPort=${port + 1}\nstorePathRootDir=${join(dir, 'store')}\naclEnable=true\n`,
  )
  const namesrv = raftmq('namesrv', '-c', join(dir, 'namesrv.conf'))
  await namesrv.said('listens')
  const broker = raftmq('broker', '-c', join(dir, 'broker.conf'), '-n', `127.0.0.1:${port}`)
  await broker.said('"role":"leader"')
  expect(broker.errors()).toContain('aclEnable is not supported and changes nothing')
  for (const run of [broker, namesrv]) {
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(0)
  }
  const printed = raftmq('broker', '-c', join(dir, 'broker.conf'), '-p')
  expect(await printed.exit).toBe(0)
  expect(printed.output()).toContain(`listenPort=${port + 1}\n`)
  expect(printed.output()).toContain('aclEnable=true')
}, 60_000)

test.each([
  [2, ['nothing'], "error: unknown command 'nothing'"],
  [2, ['up', '--nodes', '9'], 'It must be an integer from 1 to 7.'],
  [2, ['broker'], "error: required option '-c, --configFile <file>' not specified"],
  [2, ['broker'], '(raftmq broker --help shows its options)'],
  [2, ['topic', 'list', '--odd'], '(raftmq topic list --help shows its options)'],
  [2, ['help', 'nothing'], "error: unknown command 'nothing'"],
  [2, ['compare', '--fast'], "error: unknown option '--fast'"],
  [2, ['compare', '--nodes', '8'], 'It must be an integer from 1 to 7.'],
  [2, ['compare', '--rate', '0'], 'It must be an integer from 1 to 100000.'],
  [2, ['compare', '--seconds', 'x'], 'It is a number above 0.'],
  [1, ['broker', '-c', '.'], 'raftmq: . is a folder, not a file'],
  [1, ['namesrv', '-c', main], `raftmq: ${main} is not a .properties file of a server`],
  [1, ['broker', '-c', 'nowhere.conf'], 'raftmq: nowhere.conf does not exist'],
  [1, ['lost', 'list', '--dir', 'nowhere'], 'raftmq: nowhere is no data folder of a node (its storePathRootDir)'],
  [1, ['lost', 'resend', '--dir', '.'], 'raftmq: . is no data folder of a node (its storePathRootDir)'],
] as const)(
  'a misuse ends with exit code 2 and a failure with 1: %i of raftmq %j, which says why',
  async (code, args, message) => {
    const run = raftmq(...args)
    expect(await run.exit).toBe(code)
    expect(run.errors()).toContain(message)
    expect(run.errors()).not.toMatch(/\n +at /)
  },
)

test('a command that asks again and again says in the end that nobody answers', async () => {
  const nowhere = `127.0.0.1:${await freePorts(1)}`
  const run = raftmq('member', 'list', '--broker', 'broker-a', '-n', nowhere)
  expect(await run.exit).toBe(1)
  expect(run.errors()).toContain(`raftmq: no name server answers at ${nowhere}`)
}, 60_000)
