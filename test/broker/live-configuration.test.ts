import { describe, expect, test } from 'vitest'
import { parseProperties } from '../../src/lib/properties.ts'
import { LiveConfiguration } from '../../src/broker/options/live-configuration.ts'
import { readBrokerOptions } from '../../src/broker/options/options.ts'
import { ManualClock } from '../support/manual-clock.ts'

const machine = {
  hostName: 'h',
  homeFolder: '/home/x',
  localAddress: '10.0.0.1',
  namesrvAddr: undefined,
  memoryBytes: 1_000,
}

function live(text = 'brokerName=b\n'): { configuration: LiveConfiguration; clock: ManualClock } {
  const clock = new ManualClock()
  return {
    clock,
    configuration: new LiveConfiguration(readBrokerOptions(parseProperties(text, 'test'), machine), clock),
  }
}

describe('the configuration of a running node', () => {
  test('shows what is in effect, and can be read back', () => {
    const { configuration } = live('brokerName=b\nautoCreateTopicEnable=false\n')
    const shown = new Map(parseProperties(configuration.text, 'shown').entries.map(({ key, value }) => [key, value]))
    expect(shown.get('brokerName')).toBe('b')
    expect(shown.get('autoCreateTopicEnable')).toBe('false')
    expect(shown.get('maxMessageSize')).toBe('4194304')
  })

  test('takes new values in place and counts the change', () => {
    const { configuration, clock } = live()
    const { options } = configuration
    clock.advance(5)
    configuration.update('brokerPermission=4\nmaxMessageSize=1024\n')
    expect(options).toMatchObject({ brokerPermission: 4, maxMessageSize: 1024 })
    expect(configuration.text).toContain('brokerPermission=4\n')
    expect(configuration.version).toEqual({ counter: 1, stateVersion: 0, timestamp: clock.nowMs() })
  })

  test("hands back the group's keys, which are not this node's to change, and shows what the log says of them", () => {
    const { configuration } = live('brokerName=b\nflushDiskType=SYNC_FLUSH\n')
    expect(configuration.fileMode).toEqual({ flush: 'sync' })
    expect(configuration.update('flushDiskType=ASYNC_FLUSH\nmaxMessageSize=1024\n')).toEqual({
      flushDiskType: 'ASYNC_FLUSH',
    })
    expect(configuration.options).toMatchObject({ flushDiskType: 'SYNC_FLUSH', maxMessageSize: 1024 })
    expect(configuration.text).toContain('flushDiskType=SYNC_FLUSH\n')
    configuration.showMode({ flushDiskType: 'ASYNC_FLUSH', raftReplication: 'async' })
    expect(configuration.text).toContain('flushDiskType=ASYNC_FLUSH\n')
    expect(configuration.text).toContain('raftReplication=async\n')
    expect(() => configuration.update('flushDiskType=SOMETIMES\n')).toThrow('SYNC_FLUSH or ASYNC_FLUSH')
  })

  test.each([
    [
      'that cannot be changed while it runs',
      'maxMessageSize=1024\nlistenPort=1\n',
      'listenPort cannot be changed while the broker runs',
    ],
    ['that nobody knows', 'maxMessageSize=1024\ncolour=red\n', 'a broker has no colour'],
    ['that is another', 'maxmessagesize=1024\n', 'a broker has no maxmessagesize; did you mean maxMessageSize?'],
    ['that means nothing here', 'maxMessageSize=1024\nuseTLS=true\n', 'useTLS changes nothing here: '],
    ['with an impossible value', 'maxMessageSize=1024\nbrokerPermission=9\n', 'brokerPermission=9'],
  ])('refuses a key %s, and takes nothing of that request', (_what, text, named) => {
    const { configuration } = live()
    expect(() => configuration.update(text)).toThrow(
      expect.objectContaining({ code: 'BROKER_INVALID_PARAMETER', message: expect.stringContaining(named) }),
    )
    expect(configuration.options.maxMessageSize).toBe(4_194_304)
    expect(configuration.version.counter).toBe(0)
  })
})
