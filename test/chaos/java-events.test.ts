import { expect, test } from 'vitest'
import { parseJavaEvent } from '../../chaos/java-events.ts'

const parse = (line: string) => parseJavaEvent(line, 'T')

test('a line of the Java load is the event that our own load would have recorded', () => {
  const named = { atMs: 12.345, producer: 101, sequence: 7 }
  expect(parse('12345 sent 101 7')).toEqual({ type: 'sent', ...named })
  expect(parse('12345 failed 101 7 NO_ROUTE')).toEqual({ type: 'failed', code: 'NO_ROUTE', ...named })
  expect(parse('12345 undecided 101 7 RemotingTimeoutException')).toEqual({
    type: 'undecided',
    code: 'RemotingTimeoutException',
    ...named,
  })
  const placed = { queue: 'T@broker-a@3', queueOffset: 42, ...named }
  expect(parse('12345 received 101 7 broker-a 3 42')).toEqual({
    type: 'received',
    reader: 'the live consumer',
    ...placed,
  })
  expect(parse('12345 acknowledged 101 7 broker-a 3 42 1')).toEqual({
    type: 'acknowledged',
    mayBeTwice: false,
    ...placed,
  })
})

test('a message that left the Java client more than once may lie twice', () => {
  expect(parse('12345 acknowledged 101 7 broker-a 3 42 2')).toMatchObject({ mayBeTwice: true })
})

test('what a library prints beside the events is none of them', () => {
  expect(parse('RocketMQLog:WARN No appenders could be found')).toBeUndefined()
  expect(parse('')).toBeUndefined()
  expect(parse('12345 ready')).toEqual({ type: 'ready', atMs: 12.345 })
})
