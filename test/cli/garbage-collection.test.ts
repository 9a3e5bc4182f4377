import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { markTheHeapSeldom } from '../../src/cli/garbage-collection.ts'

const flagsSetFor = (nodeArguments: readonly string[]): string[] => {
  const set: string[] = []
  markTheHeapSeldom(nodeArguments, (flag) => set.push(flag))
  return set
}

describe('the old generation of a node', () => {
  test('may double before all of it is marked', () => {
    expect(flagsSetFor(['--enable-source-maps'])).toEqual(['--heap-growing-percent=100'])
  })

  test('is left to whoever started Node with a flag of V8 for it', () => {
    expect(flagsSetFor(['--heap-growing-percent=50'])).toEqual([])
    expect(flagsSetFor(['--initial-old-space-size=64'])).toEqual([])
  })

  test('is governed by a flag that V8 knows', () => {
    const said = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
    expect(said).toContain(flagsSetFor([])[0]?.split('=')[0])
  })
})
