import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  BackOff,
  busyPauseMs,
  decideSend,
  sendStatus,
  verdictOfResponse,
  verdictOfTrouble,
} from '../../src/client/producer/send-retry.ts'

const policy = { retries: 2, retryUndecided: true, minAttemptMs: 1 }
const fresh = { counted: 1, sawUndecided: false, remainingMs: 1_000 }

describe('what an answer means', () => {
  test.each([
    [0, 'SEND_OK'],
    [10, 'FLUSH_DISK_TIMEOUT'],
    [11, 'SLAVE_NOT_AVAILABLE'],
    [12, 'FLUSH_SLAVE_TIMEOUT'],
  ])('%d is a way of being stored: %s', (code, status) => {
    expect(sendStatus(code)).toBe(status)
    expect(decideSend(verdictOfResponse(code), fresh, policy)).toEqual({ action: 'deliver' })
  })

  test.each([14, 16, 17, 204, 205, 501, 1500])('%d is tried elsewhere, with the route asked again', (code) => {
    expect(decideSend(verdictOfResponse(code), fresh, policy)).toEqual({ action: 'retry', refreshRoute: true })
  })

  test.each([2, 215])('%d, busy, is tried again at the same broker', (code) => {
    expect(decideSend(verdictOfResponse(code), fresh, policy)).toEqual({ action: 'retry', refreshRoute: false })
  })

  test.each([3, 4, 13, 26, 604])('%d is final', (code) => {
    expect(decideSend(verdictOfResponse(code), fresh, policy).action).toBe('fail')
  })

  test('code 1 is undecided, because a replica may not have answered in time', () => {
    expect(verdictOfResponse(1).outcome).toBe('undecided')
  })
})

test('a send that finds its broker busy waits twice as long each time, up to 2 s, half of it by chance', () => {
  expect([1, 2, 3, 4].map((times) => busyPauseMs(times, 0))).toEqual([25, 50, 100, 200])
  expect([1, 2, 6, 7, 20].map((times) => Math.round(busyPauseMs(times, 0.9999)))).toEqual([
    50, 100, 1_600, 2_000, 2_000,
  ])
})

test('a busy broker is not asked once more with too little time left for it to decide', () => {
  expect(decideSend(verdictOfResponse(2), { ...fresh, remainingMs: 699 }, policy)).toEqual({
    action: 'fail',
    error: 'CLIENT_BUSY',
  })
  const backOff = new BackOff()
  backOff.judged({ action: 'retry', refreshRoute: false }, { nowMs: 1_000, deadlineMs: 1_720 }, 0.9)
  expect(backOff.untilMs).toBe(1_020)
})

describe('an undecided message', () => {
  test('is sent again by default and reported as undecided when that is not wanted', () => {
    for (const trouble of ['connectionLost', 'timedOut'] as const) {
      expect(decideSend(verdictOfTrouble(trouble), fresh, policy).action).toBe('retry')
      expect(decideSend(verdictOfTrouble(trouble), fresh, { ...policy, retryUndecided: false })).toEqual({
        action: 'fail',
        error: 'CLIENT_UNDECIDED',
      })
    }
  })

  test('stays undecided when a later attempt was certainly not stored', () => {
    const state = { ...fresh, sawUndecided: true, remainingMs: 0 }
    expect(decideSend(verdictOfTrouble('noLeader'), state, policy)).toEqual({
      action: 'fail',
      error: 'CLIENT_UNDECIDED',
    })
    expect(decideSend(verdictOfResponse(13), state, policy)).toEqual({ action: 'fail', error: 'CLIENT_UNDECIDED' })
  })
})

test.prop([fc.integer({ min: 0, max: 1600 }), fc.nat(5), fc.boolean(), fc.nat(2_000), fc.boolean()])(
  'never calls a message not stored that may be, and never retries beyond its budget',
  (code, counted, sawUndecided, remainingMs, retryUndecided) => {
    const verdict = verdictOfResponse(code)
    const decision = decideSend(verdict, { counted, sawUndecided, remainingMs }, { ...policy, retryUndecided })
    if (decision.action === 'fail' && (verdict.outcome === 'undecided' || sawUndecided)) {
      expect(decision.error).toBe('CLIENT_UNDECIDED')
    }
    if (decision.action === 'retry') {
      expect(counted).toBeLessThanOrEqual(policy.retries)
      expect(remainingMs).toBeGreaterThanOrEqual(policy.minAttemptMs)
      if (verdict.outcome === 'undecided') expect(retryUndecided).toBe(true)
    }
  },
)
