import { describe, expect, test } from 'vitest'
import { nodeEnvironment } from '../../src/cli/node-environment.ts'

describe('the environment of a node', () => {
  test('has the allocator give large blocks back to the system as soon as they are free', () => {
    const environment = nodeEnvironment({ PATH: '/bin' })
    expect(environment['PATH']).toBe('/bin')
    expect(Number(environment['MALLOC_MMAP_THRESHOLD_'])).toBeLessThan(1_048_576)
  })

  test('is as the operator says where that says anything', () => {
    expect(nodeEnvironment({ MALLOC_MMAP_THRESHOLD_: '1' })['MALLOC_MMAP_THRESHOLD_']).toBe('1')
  })
})
