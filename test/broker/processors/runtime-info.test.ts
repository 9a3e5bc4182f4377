import { expect, test, vi } from 'vitest'
import { KvTable } from '../../../src/remoting/bodies/broker.ts'
import { createHarness } from './harness.ts'

test('a client that asks for runtime information without end has it put together once for all that it asked meanwhile', async () => {
  const encode = vi.spyOn(KvTable, 'encode')
  const harness = createHarness()
  const replies = await Promise.all(Array.from({ length: 50 }, () => harness.ask(28)))
  expect(replies.every(({ code }) => code === 0)).toBe(true)
  expect(encode.mock.calls.length).toBeLessThan(5)
  const before = encode.mock.calls.length
  await harness.ask(28)
  expect(encode.mock.calls.length).toBe(before + 1)
})
