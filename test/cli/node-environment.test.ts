import { describe, expect, test } from 'vitest'
import { nodeEnvironment } from '../../src/cli/node-environment.ts'

describe('the environment of a node', () => {
  test('has the allocator give large blocks back to the system as soon as they are free', () => {
    const environment = nodeEnvironment({ PATH: '/bin' })
    expect(environment['PATH']).toBe('/bin')
    expect(Number(environment['MALLOC_MMAP_THRESHOLD_'])).toBeLessThan(1_048_576)
  })

  test('keeps the young generation small, beside what else Node is told', () => {
    expect(nodeEnvironment({})['NODE_OPTIONS']).toBe('--max-semi-space-size=8')
    const { NODE_OPTIONS } = nodeEnvironment({ NODE_OPTIONS: '--enable-source-maps' })
    expect(NODE_OPTIONS).toBe('--enable-source-maps --max-semi-space-size=8')
  })

  test('is as the operator says where that says anything', () => {
    expect(nodeEnvironment({ MALLOC_MMAP_THRESHOLD_: '1' })['MALLOC_MMAP_THRESHOLD_']).toBe('1')
    const NODE_OPTIONS = '--max-semi-space-size=32'
    expect(nodeEnvironment({ NODE_OPTIONS })['NODE_OPTIONS']).toBe(NODE_OPTIONS)
  })
})
