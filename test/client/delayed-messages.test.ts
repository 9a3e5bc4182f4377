import { describe, expect, test } from 'vitest'
import { isDelayed, propertiesText } from '../../src/client/producer/outgoing-message.ts'

const text = (given: object): string => propertiesText({ topic: 'T', body: 'x', ...given }, 'ID')

describe('a message with a delay', () => {
  test.each([
    ['delayLevel', { delayLevel: 3 }, 'DELAY\u00013\u0002'],
    ['delayMs', { delayMs: 1_500 }, 'TIMER_DELAY_MS\u00011500\u0002'],
    ['deliverAt', { deliverAt: new Date(1_700_000_000_123) }, 'TIMER_DELIVER_MS\u00011700000000123\u0002'],
  ])('by %s asks the broker for it', (_name, given, property) => {
    expect(text(given)).toBe(`UNIQ_KEY\u0001ID\u0002${property}`)
    expect(isDelayed({ topic: 'T', body: 'x', ...given })).toBe(true)
  })

  test.each([
    [{ delayMs: -1 }, 'delayMs -1'],
    [{ delayMs: 1.5 }, 'delayMs 1.5'],
    [{ delayMs: Number.NaN }, 'delayMs NaN'],
    [{ deliverAt: new Date(Number.NaN) }, 'deliverAt is no valid date'],
    [{ delayMs: 1, delayLevel: 1 }, 'only one of delayLevel, delayMs and deliverAt'],
    [{ delayMs: 1, deliverAt: new Date(5) }, 'only one of delayLevel, delayMs and deliverAt'],
  ])('that makes no sense is refused: %j', (given, why) => {
    expect(() => text(given)).toThrow(why)
  })

  test('of none of them does not wait', () => {
    expect(isDelayed({ topic: 'T', body: 'x' })).toBe(false)
  })
})
