import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { planOf } from '../../src/compare/plan.ts'
import type { Comparison } from '../../src/compare/results.ts'
import { buildPackage, PackageProcesses } from '../support/package-processes.ts'

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

const TINY = ['compare', '--nodes', '1', '--rounds', '1', '--kills', '1', '--seconds', '0.2', '--rate', '300']

function comparison(): Comparison {
  // Written by the command under test.
  const found: Comparison = JSON.parse(readFileSync(join(dir, 'raftmq-compare/compare.json'), 'utf8'))
  return found
}

test('a comparison on real processes is interrupted, gone on with, and then only shown', async () => {
  const first = processes.raftmq(dir, TINY)
  await first.said('step 2 of 6')
  first.child.kill('SIGINT')
  expect(await first.exit).toBe(130)
  expect(first.errors()).toMatch(
    /stopped after 1 of 6 steps, which are kept in raftmq-compare: the same command goes on from there\n$/,
  )
  expect(readdirSync(join(dir, 'raftmq-compare')).toSorted()).toEqual([
    'compare.html',
    'compare.json',
    'compare.md',
    'lock',
  ])
  const kept = comparison()
  expect(kept.results).toHaveLength(1)

  const second = processes.raftmq(dir, TINY)
  expect(await second.exit, second.errors()).toBe(0)
  expect(second.errors()).toContain('raftmq-compare has the results of 1 of 6 steps: going on (--fresh starts anew)\n')
  expect(second.output()).toMatch(/^1 node, async {2,}[\d,]+ {2,}/m)
  const done = comparison()
  expect(done.results.slice(0, 1)).toEqual(kept.results)
  expect(done.results.map(({ kind }) => kind)).toEqual(planOf(done.parameters).map(({ kind }) => kind))
  // With sync flush nothing depends on unsynced bytes.
  const cuts = done.results.flatMap((result) => (result.kind === 'power' ? [result] : []))
  expect(cuts.map(({ outcomes, violations }) => [outcomes.length, violations])).toEqual([
    [1, []],
    [1, []],
  ])
  expect(cuts[0]?.outcomes[0]).toMatchObject({ lost: 0, declared: [] })
  expect(cuts[0]?.outcomes[0]?.acknowledged).toBeGreaterThan(100)
  expect(existsSync(join(dir, 'raftmq-compare/groups'))).toBe(false)

  const third = processes.raftmq(dir, [...TINY, '--json'])
  expect(await third.exit).toBe(0)
  expect(third.errors()).toContain('has the results of all 6 steps: nothing is measured (--fresh does)\n')
  expect(JSON.parse(third.output())).toEqual(done)

  const other = processes.raftmq(dir, [...TINY, '--rate', '400'])
  expect(await other.exit).toBe(1)
  expect(other.errors()).toMatch(
    /^raftmq: .*compare\.json was made with --nodes 1 .* --rate 300, not .* --rate 400: --fresh starts anew, --out takes another folder\n$/,
  )
}, 120_000)
