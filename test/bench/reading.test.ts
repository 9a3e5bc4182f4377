import { describe, expect, test } from 'vitest'
import { numberAt } from '../../bench/command-line.ts'
import { readOptions } from '../../bench/options.ts'
import { cpuTicks, memory, rssMegabytes } from '../../bench/process-usage.ts'
import { readReport } from '../../bench/scenarios/failover.ts'
import { topicNames } from '../../bench/load/topic-names.ts'
import { progressOf } from '../../bench/scenarios/send.ts'

describe('what benchmarks read', () => {
  test('the processor time of a process whose name holds blanks and parentheses', () => {
    expect(cpuTicks('42 (a (b) c) S 1 42 42 0 -1 4194304 900 0 0 0 120 34 0 0 20 0 11 0 5 6 7')).toBe(154)
  })

  test('the memory of a process, in MB', () => {
    expect(rssMegabytes('Name:\tnode\nVmHWM:\t  999 kB\nVmRSS:\t   1000 kB\n')).toBe(1.024)
    expect(rssMegabytes('Name:\tkernel thread\n')).toBeUndefined()
  })

  test('the memory of a process, mapping by mapping, with files and without', () => {
    const smaps = [
      '55d0-55d8 r-xp 00000000 fe:00 1234 /usr/bin/node',
      'Rss:                 2000 kB',
      'Private_Dirty:         10 kB',
      '7f00-7f80 rw-p 00000000 00:00 0 ',
      'Rss:                 1000 kB',
      '7ffc-7ffd rw-p 00000000 00:00 0 [stack]',
      'Rss:                  500 kB',
    ]
    expect(memory(smaps.join('\n'))).toEqual({ rssMegabytes: 3.584, unmappedMegabytes: 1.536 })
  })

  test('one topic, or many of a pattern', () => {
    expect(topicNames('Bench')).toEqual(['Bench'])
    expect(topicNames('Bench*3')).toEqual(['Bench-0', 'Bench-1', 'Bench-2'])
  })

  test('the messages of a line of progress', () => {
    expect(progressOf('   3 s  80,123/s, p99 51 ms')).toBe(80_123)
    expect(progressOf('  12 s  0/s, p99 51 ms, 1 failed, 0 undecided')).toBe(0)
    expect(progressOf('broker-a n0 leads (term 2)')).toBeUndefined()
  })

  test('a number of a document, and never another value for it', () => {
    expect(numberAt('{"latencyMs":{"p99":1.5}}', 'latencyMs', 'p99')).toBe(1.5)
    expect(() => numberAt('{"latencyMs":{}}', 'latencyMs', 'p99')).toThrow('no number at latencyMs.p99')
    expect(() => numberAt('{"a":"7"}', 'a')).toThrow('no number at a')
  })

  test('the report of the chaos suite', () => {
    const result = { rounds: [{ gapMs: 900 }, { gapMs: 700 }], acknowledged: 10_100, lost: 1 }
    expect(readReport(JSON.stringify([result]))).toEqual({ gapsMs: [900, 700], acknowledged: 10_100, lost: 1 })
    expect(() => readReport(JSON.stringify([{ ...result, rounds: [] }]))).toThrow('no kills')
    expect(() => readReport('[]')).toThrow('no rounds')
  })
})

describe('the command line', () => {
  const names = ['send', 'start', 'micro']
  const options = (...args: string[]) => readOptions(args, names)

  test('all scenarios without --only, those named with it', () => {
    expect(options()).toMatchObject({ only: names, quick: false, writeReadme: false })
    expect(options('--only', 'start, micro', '--only=send')).toMatchObject({ only: ['start', 'micro', 'send'] })
    expect(options('--help')).toBe('help')
  })

  test('refuses what it does not know, and says what there is', () => {
    expect(() => options('--only', 'sned')).toThrow('there is no scenario sned; there are send, start, micro')
    expect(() => options('--fast')).toThrow("Unknown option '--fast'")
  })

  test('quick figures are not published', () => {
    expect(() => options('--quick', '--write-readme')).toThrow('--quick')
    expect(() => options('--quick', '--write-baseline')).toThrow('--quick')
  })

  test('a soak has a length', () => {
    expect(options()).toMatchObject({ minutes: 30 })
    expect(options('--minutes', '0.5')).toMatchObject({ minutes: 0.5 })
    expect(() => options('--minutes', 'long')).toThrow('--minutes is a number above 0')
  })

  test('a baseline is not compared with nothing', () => {
    expect(() => options('--only', 'send', '--compare', 'x.json')).toThrow('needs the scenario micro')
    expect(options('--only', 'micro', '--compare', 'x.json')).toMatchObject({ compare: 'x.json' })
  })
})
