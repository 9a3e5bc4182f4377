import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { register } from '../../src/cli/commands/member.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.close())

function sink(parts: string[]): PassThrough {
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => parts.push(chunk.toString()))
  return stream
}

async function run(...words: string[]): Promise<{ readonly out: string; readonly notes: string }> {
  const out: string[] = []
  const notes: string[] = []
  const program = new Command('raftmq').exitOverride()
  const io = { input: new PassThrough(), output: sink(out), notes: sink(notes), clock: systemClock }
  register(program, { ...io, interrupted: () => new AbortController().signal })
  const at = ['-n', cluster.namesrv, '--broker', 'broker-a']
  await program.parseAsync(['member', ...words.slice(0, 1), ...at, ...words.slice(1)], { from: 'user' })
  await new Promise(setImmediate)
  return { out: out.join(''), notes: notes.join('') }
}

test('member lists who takes part, adds a learner, and takes it out for good', { timeout: 30_000 }, async () => {
  const list = await run('list')
  const leader = cluster.leader()?.id ?? ''
  expect(list.out.split('\n')[0]).toMatch(/^node +role +address for peers +filled +lag entries +heard$/)
  expect(list.out).toMatch(new RegExp(`${leader} +leader +127.0.0.1:\\d+ +yes +0 +–`))

  const added = await run('add', '--id', 'n3', '--address', '127.0.0.1:39')
  expect(added.notes).toContain('n3 is a learner of broker-a: start it with a file that names the group and itself')
  expect(added.out).toMatch(/n3 +learner +127.0.0.1:39 +no/)

  const removed = JSON.parse((await run('remove', '--id', 'n3', '--json')).out) as unknown
  expect(removed).toMatchObject({ broker: 'broker-a', isChanging: false, removed: ['n3'] })
  expect(removed).toMatchObject({ members: [{ id: 'n0' }, { id: 'n1' }, { id: 'n2', role: 'voter', isFilled: true }] })
})

test('member says why a change is not begun', { timeout: 30_000 }, async () => {
  await expect(run('promote', '--id', 'n7')).rejects.toThrow('the group has no member n7 (RAFT_UNKNOWN_MEMBER)')
  await expect(run('add', '--id', 'x', '--address', 'a:1')).rejects.toThrow('x is no id of a node, such as n3')
  await expect(run('add', '--id', 'n8', '--address', 'nowhere')).rejects.toThrow('nowhere is no host:port')
})
