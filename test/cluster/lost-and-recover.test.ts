/** `raftmq lost` and `raftmq recover` as an operator uses them: commands of the built package on real processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Producer } from '../../src/client/index.ts'
import { PackageGroup, type PackageNode } from '../support/package-group.ts'
import { buildPackage, PackageProcesses } from '../support/package-processes.ts'
import { until } from '../support/until.ts'

const processes = new PackageProcesses()
let dir = ''
let producer: Producer | undefined

beforeAll(buildPackage, 120_000)

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
})

afterEach(async () => {
  await producer?.close()
  producer = undefined
  await processes.end()
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
})

/** The node that leads in the mode that was asked for, once `status` shows it and `nodes` nodes. */
function led(group: PackageGroup, mode: string, nodes: number): Promise<PackageNode> {
  return until(`${nodes} nodes are led in ${mode}`, async () => {
    const status = await group.says('status').catch(() => '')
    const leader = /^ {2}(n\d) .* leader\b/m.exec(status)?.[1]
    const up = status.match(/^ {2}n\d .* (leader|follower)\b/gm) ?? []
    return status.includes(mode) && up.length === nodes ? group.nodes.find(({ id }) => id === leader) : undefined
  })
}

async function sending(group: PackageGroup): Promise<Producer> {
  producer = new Producer({ namesrv: group.namesrv, group: 'p' })
  await producer.start()
  return producer
}

test('what a failover in async replication cut off is listed, sent again and marked', async () => {
  const group = await PackageGroup.start(processes, { dir, flush: 'sync', replication: 'async', keepsBack: false })
  const old = await led(group, 'flush sync, replication async', 3)
  const sends = await sending(group)
  await sends.send({ topic: 'demo', body: 'kept', keys: 'k0' })
  const others = group.nodes.filter(({ id }) => id !== old.id)
  await Promise.all(others.map((node) => node.kill()))
  // Alone, the leader acknowledges within its bound until it notices.
  await sends.send({ topic: 'demo', body: 'lost', keys: 'k1' })
  await old.kill()

  for (const node of others) node.start()
  const next = await led(group, 'replication async', 2)
  expect(next.id).not.toBe(old.id)
  expect(await group.says('status')).toMatch(
    /the election of term \d+ may have lost 0 to 67 MB of acknowledged messages/,
  )
  old.start()
  await until('the loss is counted', async () =>
    (await group.says('status')).includes('lost 1 message (4 B): set aside on'),
  )
  expect(await group.says('status')).toContain(`set aside on ${old.id} (raftmq lost)`)

  const lost = (...args: string[]) => processes.raftmq(dir, ['lost', ...args, '--dir', old.store])
  const listed = lost('list')
  expect(await listed.exit, listed.errors()).toBe(0)
  expect(listed.output()).toMatch(/^topic +queue +queueOffset +keys +stored +state\ndemo .* k1 .* lost\n$/)
  const resent = lost('resend', '-n', group.namesrv)
  expect(await resent.exit, resent.errors()).toBe(0)
  expect(resent.errors()).toBe('1 message sent again\n')
  const again = lost('resend', '-n', group.namesrv)
  expect(await again.exit).toBe(0)
  expect(again.errors()).toBe('0 messages sent again\n')
  const marked = lost('list', '--json')
  expect(await marked.exit).toBe(0)
  expect(JSON.parse(marked.output())).toMatchObject([{ topic: 'demo', keys: 'k1', isResent: true }])
  const consumed = await group.says('consume', '-t', 'demo', '-g', 'g', '--from', 'first', '--count', '2')
  expect(consumed.trim().split('\n').toSorted()).toEqual(['kept', 'lost'])
}, 120_000)

test('a group whose logs are in doubt and whose third node never comes back leads again when the operator says so', async () => {
  const group = await PackageGroup.start(processes, { dir, flush: 'async', replication: 'sync', keepsBack: true })
  await led(group, 'flush async, replication sync', 3)
  const sends = await sending(group)
  for (let n = 0; n < 20; n++) await sends.send({ topic: 'demo', body: `message ${n}` })
  await Promise.all(group.nodes.map((node) => node.kill()))
  const [first, second, gone] = group.nodes
  first?.start()
  second?.start()
  await until(
    'both say that they are in doubt',
    async () => ((await group.says('status').catch(() => '')).match(/log in doubt/g) ?? []).length === 2,
  )

  const recover = (...args: string[]) => group.runs('recover', '--broker', 'broker-a', ...args)
  const careless = recover()
  expect(await careless.exit).toBe(1)
  expect(careless.errors()).toContain('error: acknowledged messages may be lost: say --unsafe')
  const asked = recover('--unsafe')
  expect(await asked.exit, asked.errors()).toBe(0)
  expect(asked.errors()).toMatch(/^n0 +in doubt .*\nn1 +in doubt .*\nn2 of n0, n1, n2 is missing\.$/m)
  expect(asked.errors()).toContain('Nothing was changed. To go on without what is missing: add --confirm')
  expect(await group.says('status')).toContain('broker-a: no leader')

  const done = recover('--unsafe', '--confirm')
  expect(await done.exit, done.errors()).toBe(0)
  expect(done.errors()).toContain('n0, n1: the best of these logs is elected now')
  await led(group, 'flush async, replication sync', 2)
  expect(await group.says('status')).toMatch(
    /may have lost 0 to 67 MB of acknowledged messages \(logs in doubt elected it\)/,
  )
  const late = recover('--unsafe', '--confirm')
  expect(await late.exit).toBe(1)
  expect(late.errors()).toMatch(/error: n\d leads broker-a: nothing to recover/)
  await sends.send({ topic: 'demo', body: 'after' })
  // Who comes back after all takes what the group has.
  gone?.start()
  await led(group, 'flush async, replication sync', 3)
}, 120_000)
